"""``--bag-out``: a drive of the live graph is recorded byte for byte, and replays in full."""

import json
import subprocess
import sys
from collections import Counter

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from graph import running
from rosbags.rosbag2 import Reader

from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.bags.outline import about
from alpamayo_ros.sensing.image_gate import decode_compressed
from alpamayo_ros.sensing.rig import load_rig

pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.timeout(900)]  # other work beside
NS = 1_000_000_000
STEPS = 30


def record(folder, *arguments):
    bag = folder / 'drive.mcap'
    words = ['simulator', '--runtime', 'scripted', '--seed', '3', '--bag-out', str(bag)]
    with running([*words, *arguments], folder) as graph:
        status = graph.wait()
    assert status == 0, graph.log
    assert 'Traceback' not in graph.log
    return bag, graph


@pytest.fixture(scope='module')
def drive(tmp_path_factory, module_domain):
    folder = tmp_path_factory.mktemp('recorded')
    # a town: there the instruction changes
    arguments = ('--lockstep', '--scenario', 'town_drive', '--duration', str(STEPS / 10))
    return record(folder, *arguments)


def test_a_lockstep_drive_is_recorded_in_full(drive):
    bag, graph = drive
    rig, counts, first = load_rig('sim'), Counter(), {}
    reader = BagReader(bag)
    for m in reader:
        name = m.topic.removeprefix('/alpamayo/')
        counts[name] += 1
        first.setdefault(name, m)
        stamp = m.message.header.stamp
        if name.endswith('/compressed') or name == 'odometry':
            assert m.time_ns == stamp.sec * NS + stamp.nanosec
    assert reader.fault is None and reader.unchecked == 0
    for camera in rig.cameras:
        assert counts[camera.topic] == STEPS
        assert counts[camera.info_topic] == 1
        picture = decode_compressed(
            first[camera.topic].message.data, (camera.width, camera.height)
        )
        assert picture.std() > 5
    assert counts['odometry'] >= STEPS
    assert counts['ground_truth/objects'] == STEPS
    assert counts['route'] == 1
    assert counts['nav_instruction'] >= 1
    assert f'messages on {len(counts)} topics' in graph.log
    assert about(bag)['origin'] == 'simulator'
    assert load_rig(bag.with_suffix('.rig.yaml')) == rig


def test_latched_topics_stay_latched_for_others(drive):
    """`ros2 bag play` offers what was offered."""
    with Reader(drive[0]) as reader:
        offered = {c.topic: c.ext.offered_qos_profiles[0] for c in reader.connections}
    info = offered['/alpamayo/camera/front/camera_info']
    assert (info.durability.name, info.reliability.name) == ('TRANSIENT_LOCAL', 'RELIABLE')


def test_the_recording_replays_in_full_offline(drive, tmp_path):
    command = [sys.executable, '-m', 'alpamayo_ros.cli.main', 'replay', str(drive[0])]
    command += ['--no-model', '--out', str(tmp_path / 'out'), '--pictures', 'none']
    done = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert summary['complete'] and not summary['lacks']
    counts = summary['counts']
    assert (counts['timesteps'], counts['sets'], counts['held_pictures']) == (STEPS, STEPS, 0)
    assert counts['pictures'] == 6 * STEPS
    assert set(summary['faults']) <= {'FRAME_HISTORY', 'EGO_HISTORY'}  # the first second


def test_a_place_that_cannot_be_written_is_said_before_any_process(tmp_path):
    (tmp_path / 'file').write_text('')
    bag = tmp_path / 'file' / 'drive.mcap'
    words = ['simulator', '--runtime', 'scripted', '--bag-out', str(bag)]
    with running(words, tmp_path) as graph:
        assert graph.wait() == 2
    assert 'cannot be made' in graph.log and str(bag.parent) in graph.log
    assert 'Traceback' not in graph.log
