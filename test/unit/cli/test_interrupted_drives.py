"""Ctrl-C in a batch of drives says what is kept, and how to go on."""

from pathlib import Path

import pytest
import typer

from alpamayo_ros.cli.simulating.progress import interruptible
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
