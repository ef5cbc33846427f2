"""Row F50: what a killed participant leaves in shared memory is found; a living one's is not."""

import os
import re
import subprocess
import sys
import time

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from alpamayo_ros.shared_memory import YOUNG_S, dead_segments, remove_dead_segments

pytestmark = [pytest.mark.ros, pytest.mark.slow]
LOCKS = re.compile(r'/dev/shm/fast(?:dds|rtps)_[0-9a-f]{16}_el')  # open in their owner alone
PARTICIPANT = """
import os, sys, rclpy
rclpy.init()
node = rclpy.create_node('owner')
print(*[os.path.realpath(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd')], flush=True)
sys.stdin.read()
"""


def begin() -> tuple[subprocess.Popen[str], set[str]]:
    """A participant and the segments of its own."""
    process = subprocess.Popen(
        [sys.executable, '-c', PARTICIPANT],
        env={**os.environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    locks = LOCKS.findall(process.stdout.readline())
    return process, {lock.removesuffix('_el') for lock in locks}


def test_f50_segments_of_a_killed_participant_go_and_those_of_a_living_one_stay():
    living, kept = begin()
    killed, left = begin()
    try:
        if not kept or not left:
            pytest.skip('this middleware uses no shared memory of Fast DDS')
        both = {str(s.path) for s in dead_segments(time.time() + YOUNG_S)} & (kept | left)
        assert both == set()
        killed.kill()
        killed.wait()
        assert left <= {str(s.path) for s in dead_segments(time.time() + YOUNG_S)}
        time.sleep(
            YOUNG_S
        )  # by a later time the graph of a test beside, just begun, would lose its own
        gone = {str(s.path) for s in remove_dead_segments(time.time())}
        assert not kept & gone  # what was left may be gone already: another graph began
        for path in left:
            assert not os.path.exists(path) and not os.path.exists(f'{path}_el')
        for path in kept:
            assert os.path.exists(path) and os.path.exists(f'{path}_el')
    finally:
        for process in (living, killed):
            process.kill()
            process.communicate()
