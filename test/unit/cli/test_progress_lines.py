"""Long work into a file or a pipe says how far it is, now and then."""

import time
from collections.abc import Callable

import pytest

from alpamayo_ros.cli.common import progress
from alpamayo_ros.cli.common.progress import Progress
from alpamayo_ros.cli.working import working

Heard = pytest.CaptureFixture[str]


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def lines(capsys: Heard, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Wait until stderr has a line."""
    monkeypatch.setattr(progress, 'LINE_EVERY_S', 0.01)
    heard = ''

    def until(line: str) -> None:
        nonlocal heard
        end_s = time.monotonic() + 60.0
        while f'{line}\n' not in heard:
            heard += capsys.readouterr().err
            assert time.monotonic() < end_s, heard

    return until


@pytest.mark.parametrize('stays', [False, True])
def test_without_a_terminal_lines_say_how_far_it_is(
    stays: bool, lines: Callable[[str], None], capsys: Heard
) -> None:
    clock = Clock()
    with Progress(said='count', transient=not stays, get_time=clock) as bar:
        task = bar.add_task('suite [val]', total=4.0, count='')
        clock.now += 20.0
        lines('suite [val]: 0 %, 20 s')  # nothing has moved yet
        bar.update(task, completed=2, count='2/4')
        lines('suite [val]: 50 %, 2/4, 20 s')
        bar.update(task, completed=4, count='4/4')
        clock.now += 20.0
    last = 'suite [val]: 100 %, 4/4, 20 s\n'  # it was done by then
    assert capsys.readouterr().err.endswith(last) == stays


def test_who_does_not_know_how_long_it_takes_says_no_share(
    lines: Callable[[str], None],
) -> None:
    with Progress(transient=True, get_time=Clock()) as bar:
        bar.add_task('recording', total=None)
        lines('recording: 0 s')


def test_long_work_says_how_far_it_is(lines: Callable[[str], None]) -> None:
    with working('states') as tell:
        tell(0.25)
        lines('states: 25 %, 0 s')


def test_short_work_into_a_file_says_nothing(capsys: Heard) -> None:
    with working('reading') as tell:
        tell(0.5)
    assert capsys.readouterr().err == ''
