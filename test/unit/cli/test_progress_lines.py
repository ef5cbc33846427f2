"""Long work into a file or a pipe says how far it is, now and then."""

import pytest

from alpamayo_ros.cli.common.progress import LINE_EVERY_S, Progress
from alpamayo_ros.cli.working import working


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize('stays', [False, True])
def test_without_a_terminal_a_line_now_and_then(
    stays: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    with Progress(said='count', transient=not stays, get_time=clock) as bar:
        task = bar.add_task('suite [val]', total=4.0, count='')
        for done in range(1, 5):
            clock.now += 0.6 * LINE_EVERY_S
            bar.update(task, completed=done, count=f'{done}/4')
        assert capsys.readouterr().err == 'suite [val]: 50 %, 2/4\nsuite [val]: 100 %, 4/4\n'
        bar.update(task, completed=4, count='done')
    assert capsys.readouterr().err == ('suite [val]: 100 %, done\n' if stays else '')


def test_short_work_into_a_file_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with working('reading') as tell:
        tell(0.5)
    assert capsys.readouterr().err == ''


def test_long_work_into_a_file_says_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('alpamayo_ros.cli.common.progress.LINE_EVERY_S', 0.0)
    with working('states') as tell:
        tell(0.25)
    assert capsys.readouterr().err == 'states: 25 %\n'
