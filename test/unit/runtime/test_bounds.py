"""Bounds on the model process, in a process of their own where they bind one."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from alpamayo_ros.faults import Code
from alpamayo_ros.limits import load_limits
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.process import bounds, worker
from alpamayo_ros.runtime.process.child import WorkerSpec
from alpamayo_ros.runtime.process.worker import Worker

LIMITS = load_limits()
GREEDY = """
import sys, time
held = bytearray(int(sys.argv[1]))
held[::4096] = b'x' * len(held[::4096])
print('held', flush=True)
time.sleep(60)
"""
BOUND = """
import os
from alpamayo_ros.runtime.process.bounds import bound_self
bound_self(64)
print(open('/proc/self/oom_score_adj').read().strip())
opened = []
try:
    while True:
        opened.append(os.open('/dev/null', os.O_RDONLY))
except OSError as error:
    print(len(opened), error.strerror)
"""


def test_memory_that_a_process_holds_is_seen_and_mapped_files_are_not() -> None:
    command = [sys.executable, '-c', GREEDY, str(200_000_000)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == 'held\n'
        assert 2e8 <= bounds.used_bytes(process.pid) < 3e8
        process.kill()
    assert bounds.used_bytes(process.pid) == 0.0  # it has ended


def test_a_control_group_with_less_memory_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = bounds.machine_bytes.__wrapped__
    monkeypatch.setattr(bounds, 'CGROUP', tmp_path / 'memory.max')
    whole = found()
    assert whole > 1e8
    for text, expected in (('max\n', whole), ('1000000\n', 1e6), ('', whole)):
        bounds.CGROUP.write_text(text)
        assert found() == expected


def test_a_share_of_the_memory_is_the_limit() -> None:
    total = 10e9
    assert bounds.memory_fault(LIMITS.model_memory_ratio * total, total, LIMITS) is None
    fault = bounds.memory_fault(LIMITS.model_memory_ratio * total + 1e6, total, LIMITS)
    assert fault is not None and fault.code is Code.MODEL_MEMORY
    assert fault.message == '8.0 GB of 10.0 GB, its share is 80%'


def test_a_bound_process_opens_so_many_files_and_dies_first() -> None:
    done = subprocess.run(
        [sys.executable, '-c', BOUND], check=True, capture_output=True, text=True
    )
    score, files = done.stdout.splitlines()
    assert score == '1000'
    count, words = files.split(maxsplit=1)
    assert int(count) <= 61 and words == 'Too many open files'


def test_a_model_that_holds_too_much_is_killed_by_name_and_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A small machine is made up while the scripted model runs; a large one afterwards."""
    spec = WorkerSpec(
        profile=load_profile('nano'), limits=LIMITS, period_s=20.0, startup_s=60.0, kind='scripted'
    )
    running = Worker(spec)
    running.start()
    try:
        assert running.wait_warm(300.0)
        first = running.pid
        monkeypatch.setattr(worker, 'LOOK_S', 0.05)
        monkeypatch.setattr(bounds, 'machine_bytes', lambda: 1e6)
        running._ring()
        end = time.monotonic() + 300.0
        while running.restarts == 0 and time.monotonic() < end:
            time.sleep(0.01)
        monkeypatch.setattr(bounds, 'machine_bytes', lambda: 1e12)
        faults = running.faults()
        assert faults and {fault.code for fault in faults} == {Code.MODEL_MEMORY}
        assert running.wait_warm(300.0) and running.pid != first
    finally:
        running.close()
