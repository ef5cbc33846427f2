"""A collecting step ends with the status of the worker that failed, and no worker outlives it."""

import os
import sys
from pathlib import Path

import pytest

from alpamayo_ros.statuses import ConfigError, MachineError, Status
from alpamayo_ros.training.steps.workers import run_workers


def python(code: str) -> list[str]:
    return [sys.executable, '-S', '-c', code]


@pytest.mark.parametrize(
    ('code', 'kind', 'said'),
    [
        ('raise SystemExit(2)', ConfigError, 'step a: a worker ended with status 2, see above'),
        ('raise SystemExit(6)', MachineError, 'ended with status 6'),
        ('import os; os.kill(os.getpid(), 9)', MachineError, 'ended by signal 9'),
        ('raise KeyError', RuntimeError, 'ended with status 1'),
    ],
)
def test_the_worker_that_fails_says_how_the_command_ends(
    code: str, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said) as caught:
        run_workers('step a', [python(code)], 1)
    if isinstance(caught.value, ConfigError):
        expected = Status.ENVIRONMENT if kind is MachineError else Status.USAGE
        assert caught.value.status == expected


def test_the_others_end_with_the_one_that_fails_and_nothing_more_begins(tmp_path: Path) -> None:
    pid, late = tmp_path / 'pid', tmp_path / 'late'
    stays = python(
        f'import os, time; open({str(pid)!r} + "_", "w").write(str(os.getpid())); '
        f'os.rename({str(pid)!r} + "_", {str(pid)!r}); time.sleep(600)'
    )
    fails = python(
        f'import os, time\nwhile not os.path.exists({str(pid)!r}): time.sleep(0.01)\n'
        'raise SystemExit(6)'
    )
    begins = python(f'open({str(late)!r}, "w")')
    with pytest.raises(MachineError):
        run_workers('step a', [stays, fails, begins], 2)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    assert not late.exists()


def test_all_are_run_a_few_at_a_time(tmp_path: Path) -> None:
    files = [tmp_path / str(k) for k in range(3)]
    run_workers('step a', [python(f'open({str(f)!r}, "w")') for f in files], 2)
    assert all(f.exists() for f in files)
