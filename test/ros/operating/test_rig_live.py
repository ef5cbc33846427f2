"""``alpamayo rig check --live``: a running rig is recorded and held against its file."""

import json
import subprocess
import sys
import time

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from graph import PATIENCE_S, running

from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.cli.rig.live import listener

pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.timeout(1200)]  # other work beside


def check(folder, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, '-m', 'alpamayo_ros.cli.main', 'rig', 'check', 'sim', *words]
    command += ['--out', str(folder / 'rig')]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)


def test_a_running_rig_is_recorded_and_judged(tmp_path, ros_domain):
    still = {'script': '{"speed_mps": 0.0}'}  # the drive then ends with this test, not before
    arguments = ['simulator', '--runtime', 'scripted', '--lockstep', '--manual']
    with running(arguments, tmp_path, planner=still):
        seconds, end_s, done = 5, time.monotonic() + PATIENCE_S, None
        while (done is None or done.returncode) and time.monotonic() < end_s:
            done = check(tmp_path, '--live', '--sim-time', '--seconds', str(seconds))
            seconds *= 2
    assert done is not None and done.returncode == 0, done and done.stdout + done.stderr
    topics = {message.topic for message in BagReader(tmp_path / 'rig' / 'live.mcap')}
    assert '/alpamayo/camera/front/image_raw/compressed' in topics
    found = json.loads((tmp_path / 'rig' / 'findings.json').read_text())
    assert any(' Hz, ' in one['text'] for one in found if one['about'] == 'front')
    assert (tmp_path / 'rig' / 'coverage.png').stat().st_size > 1000


def test_where_nothing_runs_one_sentence_says_so(tmp_path, ros_domain):
    done = check(tmp_path, '--live', '--seconds', '1')
    assert done.returncode == 6, done.stdout
    assert 'no topic of the rig was heard in 1 s' in done.stderr and 'Traceback' not in done.stderr


@pytest.mark.parametrize('words', [('bag.mcap', '--live'), ('--sim-time',), ('--topics', 'x')])
def test_what_does_not_fit_together_is_refused(tmp_path, words):
    done = check(tmp_path, *words)
    assert done.returncode == 2 and '--live' in done.stderr


def test_the_recorder_is_no_part_of_a_lockstep(tmp_path):
    (node,) = listener('sim', 'nano', '', tmp_path / 'live.mcap', sim_time=True).nodes
    told = dict(node.parameters)
    assert told['lockstep'] is False and told['use_sim_time'] is True and not node.respawn
