"""Bags: what is written is read again, the same input gives the same bytes, damage is reported."""

import hashlib

import numpy as np
import pytest

from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.bags.sensor_writer import SensorBag, quaternion
from alpamayo_ros.faults import Code
from alpamayo_ros.sensing.rig import load_rig, rotation_xyz

NS = 1_000_000_000
FRONT = load_rig('sim').camera('front')


def write(path, images: int = 5) -> None:
    with SensorBag(path) as bag:
        pose = np.eye(4)
        for i in range(images):
            stamp = 1_700_000_000 * NS + i * NS // 10
            pose[0, 3] = i
            bag.compressed_image('/front', stamp, 'camera', b'\xff\xd8\xff' + bytes([i]) * 3000)
            bag.camera_info('/front/info', stamp, FRONT)
            bag.odometry(
                '/odometry',
                stamp,
                ('odom', 'base_link'),
                pose,
                np.array([10.0, 0, 0]),
                np.zeros(3),
            )
            bag.transforms('/tf', stamp, {('odom', 'base_link'): pose})


def test_round_trip(tmp_path):
    write(tmp_path / 'a.mcap')
    reader = BagReader(tmp_path / 'a.mcap')
    messages = list(reader)
    assert reader.fault is None
    assert reader.count == len(messages) == 20
    assert [m.time_ns for m in messages] == sorted(m.time_ns for m in messages)
    image = next(m.message for m in messages if m.topic == '/front')
    assert image.format == 'jpeg'
    assert bytes(image.data) == b'\xff\xd8\xff' + bytes(3000)
    info = next(m.message for m in messages if m.topic == '/front/info')
    np.testing.assert_array_equal(info.k.reshape(3, 3), FRONT.matrix)
    assert (info.width, info.height, info.distortion_model) == (560, 320, 'plumb_bob')
    odometry = [m.message for m in messages if m.topic == '/odometry'][-1]
    assert odometry.child_frame_id == 'base_link'
    assert odometry.pose.pose.position.x == 4.0
    assert odometry.pose.pose.orientation.w == 1.0
    assert odometry.header.stamp.nanosec == 400_000_000
    tf = next(m.message for m in messages if m.topic == '/tf')
    assert tf.transforms[0].child_frame_id == 'base_link'


def test_only_the_wanted_topics(tmp_path):
    write(tmp_path / 'a.mcap')
    assert {m.topic for m in BagReader(tmp_path / 'a.mcap', {'/odometry'})} == {'/odometry'}
    assert list(BagReader(tmp_path / 'a.mcap', {'/nothing'})) == []


def test_same_messages_same_bytes(tmp_path):
    digests = []
    for name in ('a', 'b'):
        write(tmp_path / f'{name}.mcap')
        digests.append(hashlib.sha256((tmp_path / f'{name}.mcap').read_bytes()).hexdigest())
    assert digests[0] == digests[1]


def test_an_interrupted_bag_leaves_nothing_behind(tmp_path):
    with pytest.raises(RuntimeError), SensorBag(tmp_path / 'a.mcap') as bag:
        bag.compressed_image('/front', NS, 'camera', b'\xff\xd8\xff')
        raise RuntimeError('stop')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('share', [0.0, 0.1, 0.35, 0.6, 0.9, 0.99, 0.999])
def test_a_bag_that_is_cut_off_is_reported(tmp_path, share):
    write(tmp_path / 'a.mcap', 200)
    data = (tmp_path / 'a.mcap').read_bytes()
    (tmp_path / 'a.mcap').write_bytes(data[: int(share * len(data))])
    reader = BagReader(tmp_path / 'a.mcap')
    got = list(reader)
    assert reader.fault is not None
    assert reader.fault.code is Code.BAG_BROKEN
    assert reader.fault.values['messages'] == len(got) <= 800


def test_a_missing_bag_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='nothing'):
        list(BagReader(tmp_path / 'nothing.mcap'))
    with pytest.raises(ValueError, match='mcap'):
        SensorBag(tmp_path / 'a.db3')


@pytest.mark.parametrize(
    'angles', [(0, 0, 0), (0.1, -0.2, 3.0), (3.1, 0.0, 0.0), (0.0, 1.5, -2.0)]
)
def test_quaternion(angles):
    x, y, z, w = quaternion(rotation_xyz(*map(float, angles)))
    assert x * x + y * y + z * z + w * w == pytest.approx(1.0)
    rebuilt = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    np.testing.assert_allclose(rebuilt, rotation_xyz(*map(float, angles)), atol=1e-9)
