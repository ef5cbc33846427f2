"""A simulated drive as a bag: all streams of a replay, the same bytes each time, true geometry."""

from collections import Counter

import numpy as np
import pytest

from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.sensing.image_gate import decode_compressed
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.simulation.drive.drive_bag import record_drive, rig_of

SECONDS = 1.0


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    out = tmp_path_factory.mktemp('sim') / 'drive.mcap'
    return out, record_drive('stopped_car', 3, out, SECONDS)


def test_all_streams_are_complete(bag):
    path, facts = bag
    reader = BagReader(path)
    counts = Counter(m.topic.removeprefix('/alpamayo/') for m in reader)
    assert reader.fault is None
    assert (facts.steps, facts.messages) == (10, sum(counts.values()))
    for camera in load_rig('sim').cameras:
        assert counts[camera.topic] == 10
        assert counts[camera.info_topic] == 1
    assert counts['odometry'] == counts['/tf'] == 50
    assert counts['ground_truth/objects'] == 10
    assert counts['nav_instruction'] == 1


def test_odometry_is_true_to_its_own_speed(bag):
    rows = [m.message for m in BagReader(bag[0], {'/alpamayo/odometry'})]
    stamps = [m.header.stamp.sec * 10**9 + m.header.stamp.nanosec for m in rows]
    assert set(np.diff(stamps)) == {20_000_000}
    x = np.array([(m.pose.pose.position.x, m.pose.pose.position.y) for m in rows])
    speed = np.array([m.twist.twist.linear.x for m in rows])
    moved = np.hypot(*np.diff(x, axis=0).T) / 0.02
    np.testing.assert_allclose(moved, (speed[1:] + speed[:-1]) / 2, atol=0.02)


def test_objects_are_in_odom_with_their_size(bag):
    rows = [m.message for m in BagReader(bag[0], {'/alpamayo/ground_truth/objects'})]
    assert all(m.header.frame_id == 'odom' and m.source == 'ground_truth' for m in rows)
    boxes = rows[0].objects
    assert boxes and all(b.length_m > 0 and b.width_m > 0 and b.height_m > 0 for b in boxes)


def test_the_rig_beside_it_fits_the_pictures(bag):
    rig = load_rig(bag[0].with_suffix('.rig.yaml'))
    by_topic = {f'/alpamayo/{c.topic}': c for c in rig.cameras}
    for m in BagReader(bag[0], set(by_topic)):
        camera = by_topic[m.topic]
        picture = decode_compressed(m.message.data, (camera.width, camera.height))
        assert picture.shape == (camera.height, camera.width, 3)
        assert picture.std() > 5


def test_the_same_drive_gives_the_same_bytes(bag, tmp_path):
    record_drive('stopped_car', 3, tmp_path / 'again.mcap', SECONDS)
    assert (tmp_path / 'again.mcap').read_bytes() == bag[0].read_bytes()


def test_drawn_up_pictures_keep_the_directions(tmp_path):
    rig, large = rig_of(None), rig_of((1600, 900))
    record_drive('stopped_car', 3, tmp_path / 'large.mcap', 0.1, (1600, 900))
    assert load_rig(tmp_path / 'large.rig.yaml').camera('rear').width == 1600
    for camera in rig.cameras:
        corner = np.array([camera.width - 0.5, camera.height - 0.5, 1.0])
        corner_large = np.array([1599.5, 899.5, 1.0])
        want = np.linalg.solve(camera.matrix, corner)
        got = np.linalg.solve(large.camera(camera.name).matrix, corner_large)
        np.testing.assert_allclose(got, want, atol=1e-9)
