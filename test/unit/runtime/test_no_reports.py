"""onnxruntime must not report home: its uploader, identifier and session file are never made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip('onnxruntime')

RUN = """
import alpamayo_ros
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.loader import open_runtime
open_runtime('onnx', load_profile('nano')).warm_up()
print('done')
"""
KEPT = ('PATH', 'LD_LIBRARY_PATH')  # no variable by which CI is known: it is quiet there anyway


def left_behind(home: Path) -> list[str]:
    """What a process leaves in a home and a temporary folder of its own."""
    (home / 'tmp').mkdir()
    env = {name: os.environ[name] for name in KEPT if name in os.environ}
    env |= {'HOME': str(home), 'TMPDIR': str(home / 'tmp')}
    env['PYTHONPATH'] = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, '-c', RUN], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith('done\n')
    found = [str(path.relative_to(home)) for path in home.rglob('*') if path.is_file()]
    return [name for name in found if '.ses' in name or 'onnxruntime' in name.lower()]


def test_a_model_leaves_no_identifier_and_no_session_of_an_uploader(tmp_path: Path) -> None:
    assert left_behind(tmp_path) == []


def test_the_switch_reaches_every_process_that_is_started() -> None:
    import alpamayo_ros

    assert os.environ[alpamayo_ros.NO_REPORTS] == '1'
