"""Recordings of many kinds, offline: rates, raw, sqlite, mapped topics, routes, CameraInfo."""

import json
from dataclasses import replace

import numpy as np
import pytest
import replay_bag
from replay_bag import NS, START_NS, Drive
from replay_double import BLIND, SCRIPTED, plans, replayed

from alpamayo_ros.bags.bag import BagReader, BagWriter
from alpamayo_ros.bags.sensor_writer import SensorBag
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.replay.instructed import Instructed
from alpamayo_ros.replay.run import ReplayError, run
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.types import EgoState


def test_without_any_camera_the_baseline_is_evaluated(tmp_path):
    everybody = tuple(camera.name for camera in replay_bag.RIG.cameras)
    bag = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=3.0, absent=everybody))
    found = run(bag, tmp_path / 'o', replace(SCRIPTED, incomplete=True)).summary.as_dict()
    assert found['metrics']['l2_at_1s']['baseline'] == pytest.approx(0.0, abs=1e-3)
    assert found['metrics']['l2_at_1s']['n'] >= 18
    assert found['counts']['sets'] == 0


@pytest.mark.parametrize('hz', [12.0, 30.0])
def test_cameras_of_any_rate(tmp_path, hz):
    bag = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=2.0, hz=hz))
    rig = tmp_path / 'fast.yaml'
    data = replay_bag.RIG.model_dump(mode='json', exclude_none=True)
    for camera in data['cameras']:
        camera['rate_hz'] = hz
    rig.write_text(json.dumps(data))
    result = run(bag, tmp_path / 'o', replace(SCRIPTED, rig=str(rig)))
    assert result.summary.counts['proposals'] >= 10
    stamps = [c.t0_ns for c in Recording(result.recording).all(events.Candidates)]
    apart = np.diff(stamps) / 1e6
    assert 60 < apart.min() and apart.max() < 140


def test_raw_pictures_give_what_compressed_ones_give(monkeypatch, tmp_path):
    raw = replay_bag.write(tmp_path / 'raw.mcap', Drive(seconds=2.0, raw=True))
    result = replayed(monkeypatch, raw, tmp_path / 'o', SCRIPTED)
    assert result.summary.counts['plans'] >= 3
    shown = Recording(result.recording).image('front', START_NS + NS)
    assert shown is not None and shown.shape == (160, 280, 3)


def test_a_sqlite_recording_gives_the_same_plans(monkeypatch, tmp_path):
    from rosbags.rosbag2 import StoragePlugin, Writer

    mcap = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=2.0))
    reader, topics = BagReader(mcap, raw=True), {}
    with Writer(tmp_path / 'db', version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        for item in reader:
            if item.topic not in topics:
                known = writer.add_connection(item.topic, item.type, typestore=reader.store)
                topics[item.topic] = known
            writer.write(topics[item.topic], item.time_ns, item.message)
    replayed(monkeypatch, mcap, tmp_path / 'm', SCRIPTED)
    found = replayed(monkeypatch, tmp_path / 'db', tmp_path / 'd', SCRIPTED).summary
    assert found.counts['plans'] > 0 and found.complete
    assert plans(tmp_path / 'm') == plans(tmp_path / 'd')


def test_topics_are_mapped_by_a_person(tmp_path):
    other = replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=2.0, prefix='/car'))
    maps = {f'/car/{camera.topic}': camera.topic for camera in replay_bag.RIG.cameras}
    with pytest.raises(ReplayError, match='odometry: no nav_msgs/Odometry'):
        run(other, tmp_path / 'o', replace(SCRIPTED, maps=maps))
    maps['/car/odometry'] = '/alpamayo/odometry'
    assert run(other, tmp_path / 'o', replace(SCRIPTED, maps=maps)).summary.counts['plans'] > 0


def test_late_stamps_are_refused_as_on_the_car(tmp_path):
    """A bag whose pictures were recorded 0.4 s after they were taken."""
    bag = tmp_path / 'late.mcap'
    replay_bag.write(tmp_path / 'a.mcap', Drive(seconds=2.0))
    with BagWriter(bag) as writer:
        items = list(BagReader(tmp_path / 'a.mcap'))
        late = [(m.time_ns + (0 if 'odom' in m.topic else 4 * NS // 10), m) for m in items]
        for time_ns, item in sorted(late, key=lambda pair: pair[0]):
            writer.write(item.topic, item.message, time_ns)
    summary = run(bag, tmp_path / 'o', SCRIPTED).summary
    assert summary.counts['proposals'] == 0
    assert summary.verdict == 'not evaluable'


def test_camera_info_goes_before_the_rig_and_is_told(tmp_path):
    bag = tmp_path / 'a.mcap'
    replay_bag.write(tmp_path / 'plain.mcap', Drive(seconds=1.2))
    front = replay_bag.RIG.camera('front')
    matrix = front.matrix * np.array([[1.1], [1.1], [1.0]])
    other = front.with_calibration(matrix, 'none', ())
    with SensorBag(bag) as writer:
        writer.camera_info(f'/alpamayo/{front.info_topic}', START_NS, other)
        for item in BagReader(tmp_path / 'plain.mcap'):
            writer.write(item.topic, item.message, item.time_ns)
    result = run(bag, tmp_path / 'o', BLIND)
    assert 'Calibrated by CameraInfo, not by the rig: front.' in result.summary.notes
    assert any('lost field of view: front' in note for note in result.summary.notes)
    learned = load_rig(result.recording / 'rig.yaml').camera('front').matrix
    np.testing.assert_allclose(learned, matrix)


def test_a_route_becomes_instructions(tmp_path):
    replay_bag.write(tmp_path / 'plain.mcap', Drive(seconds=2.4, yaw_rate_rps=0.0))
    with BagWriter(tmp_path / 'a.mcap') as bag:
        points = [(float(x), 0.0) for x in range(40)] + [(40.0, float(y)) for y in range(40)]
        place = {'x': 0.0, 'y': 0.0, 'z': 0.0, 'w': 1.0}
        turn = bag.new('geometry_msgs/msg/Quaternion', **place)
        header = bag.header(START_NS, 'odom')
        poses = []
        for x, y in points:
            at = bag.new('geometry_msgs/msg/Point', x=x, y=y, z=0.0)
            pose = bag.new('geometry_msgs/msg/Pose', position=at, orientation=turn)
            poses.append(bag.new('geometry_msgs/msg/PoseStamped', header=header, pose=pose))
        path = bag.new('nav_msgs/msg/Path', header=header, poses=poses)
        bag.write('/alpamayo/route', path, START_NS)
        for item in BagReader(tmp_path / 'plain.mcap'):
            bag.write(item.topic, item.message, item.time_ns)
    result = run(tmp_path / 'a.mcap', tmp_path / 'o', SCRIPTED)
    assert len(Recording(result.recording).route) == 80
    assert not any('NAV_FORMAT' in note for note in result.summary.notes)
    words = Instructed()
    words.take('route', path, START_NS)
    words.pass_time(START_NS, EgoState(START_NS, 0.0, 0.0, 0.0, 5.0))
    assert words.navigation(START_NS + NS) == 'turn left in 40 m'
