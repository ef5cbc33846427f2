"""What the tests rest on: shapes are checked, a domain each, no run waits for a dead worker."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from alpamayo_ros.types import FrameSet


def test_wrong_shape_is_refused_under_pytest() -> None:
    with pytest.raises(Exception, match='images|type'):
        FrameSet(0, np.zeros((7, 64, 112), np.uint8), np.zeros(7, np.int64), np.ones(7, bool))


def test_right_shape_is_accepted() -> None:
    frames = FrameSet(
        0, np.zeros((7, 64, 112, 3), np.uint8), np.zeros(7, np.int64), np.ones(7, bool)
    )
    assert frames.images.shape == (7, 64, 112, 3)


def test_every_test_has_a_domain_of_its_own(ros_domain: int) -> None:
    assert os.environ['ROS_DOMAIN_ID'] == str(ros_domain)
    assert 1 <= ros_domain <= 100


def test_a_worker_that_dies_ends_the_run_and_is_named(tmp_path: Path, repository: Path) -> None:
    """pytest-xdist would replace it, hand out files that are done, and wait for ever."""
    passes = 'def test_1(): pass\ndef test_2(): pass\n'
    (tmp_path / 'test_before.py').write_text(passes)
    (tmp_path / 'test_dies.py').write_text(f'import os\ndef test_0(): os._exit(1)\n{passes}')
    command = [sys.executable, '-m', 'pytest', '-p', 'no:cacheprovider', str(tmp_path)]
    command += ['-c', str(repository / 'pyproject.toml'), '--rootdir', str(tmp_path)]
    done = subprocess.run(
        [*command, '-n', '1', '--dist', 'loadfile'],
        env={name: value for name, value in os.environ.items() if 'PYTEST' not in name},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert 'crashed while running' in done.stdout and 'test_dies.py::test_0' in done.stdout
