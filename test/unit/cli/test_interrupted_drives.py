"""Ctrl-C is one line: what of a batch of drives is kept and how to go on, or that it came."""

from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest
import typer

from alpamayo_ros.cli.common.refusing import answered
from alpamayo_ros.cli.simulating.progress import interruptible
from alpamayo_ros.cli.working import working
from alpamayo_ros.statuses import Status


@pytest.mark.parametrize(
    ('lines', 'named', 'said'),
    [
        (None, False, 'Nothing is kept: with --json FILE finished drives would be.'),
        (None, True, 'Stopped before a drive was finished: nothing is kept.'),
        (3, True, 'Stopped. 2 finished drives are kept in '),
    ],
)
def test_what_is_kept_is_said(
    lines: int | None, named: bool, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = tmp_path / 'out.json.partial.jsonl'
    if lines is not None:
        journal.write_text('{}\n' * lines)
    with pytest.raises(typer.Exit) as ended, interruptible(journal if named else None):
        raise KeyboardInterrupt
    assert ended.value.exit_code == Status.INTERRUPTED
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ('at_work', 'said'),
    [(False, 'alpamayo: interrupted\n'), (True, 'interrupted; nothing was kept\n')],
)
def test_ctrl_c_is_said_once(at_work: bool, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """While a command imported what it needs, typer ended it without a word."""
    app = typer.Typer()

    @app.command()
    def command() -> None:
        with working('reading') if at_work else nullcontext():
            raise KeyboardInterrupt

    assert answered(partial(app, [], standalone_mode=False)) == Status.INTERRUPTED
    assert capsys.readouterr().err == said
