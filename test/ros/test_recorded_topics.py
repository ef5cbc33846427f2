"""Which topics of a recording are played, and what is said to be missing."""

import struct

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

import rclpy

from alpamayo_ros.bags.bag import BagMessage
from alpamayo_ros.nodes.messages.recorded import RecordedTopics
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.rig import load_rig

pytestmark = pytest.mark.ros
JPEG = 'sensor_msgs/msg/CompressedImage'
ODOMETRY = 'nav_msgs/msg/Odometry'
RIG, PROFILE = load_rig('sim'), load_profile('nano')
TYPES = {f'/alpamayo/{camera.topic}': JPEG for camera in RIG.cameras}
TYPES['/alpamayo/odometry'] = ODOMETRY


@pytest.fixture
def topics_of(rclpy_context):
    nodes = []

    def make(types, *remappings):
        words = ['--ros-args', *(word for r in remappings for word in ('-r', r))]
        node = rclpy.create_node(
            'replay', namespace='/alpamayo', context=rclpy_context, cli_args=words
        )
        nodes.append(node)
        return RecordedTopics(node, types, RIG, PROFILE, lockstep=True)

    yield make
    for node in nodes:
        node.destroy_node()


def test_everything_of_use_is_played_and_nothing_is_missing(topics_of):
    found = topics_of({**TYPES, '/other/words': 'std_msgs/msg/String'})
    assert set(found.outputs) == {*TYPES, '/other/words'}
    assert set(found.sources) == set(TYPES)
    assert found.lacks == []


def test_what_the_graph_says_itself_is_not_played_over_it(topics_of):
    ours = {
        '/alpamayo/trajectory': 'alpamayo_ros/msg/PlannedTrajectory',
        '/alpamayo/timestep': 'alpamayo_ros/msg/Timestep',
        '/clock': 'rosgraph_msgs/msg/Clock',
    }
    assert set(topics_of({**TYPES, **ours}).outputs) == set(TYPES)


def test_a_missing_camera_is_named_with_what_is_there_instead(topics_of):
    raw = '/alpamayo/camera/rear/image_raw'
    types = {t: kind for t, kind in TYPES.items() if not t.startswith(raw)}
    (text,) = topics_of(types).lacks
    assert text == f'camera rear: no {raw}/compressed'
    (text,) = topics_of({**types, raw: 'sensor_msgs/msg/Image'}).lacks
    assert text.endswith(f'it has {raw}: name that in the rig file')
    (text,) = topics_of({**types, f'{raw}/compressed': 'sensor_msgs/msg/Image'}).lacks[:1]
    assert 'of a type that fits' in text


def test_topics_of_a_vehicle_are_found_by_their_mapping(topics_of):
    types = {'/car/odom' if t.endswith('odometry') else t: kind for t, kind in TYPES.items()}
    assert topics_of(types).lacks == ['odometry: no /alpamayo/odometry']
    found = topics_of(types, 'odometry:=/car/odom')
    assert found.lacks == [] and found.sources['/car/odom'].role == 'odometry'


@pytest.mark.parametrize(('flag', 'order'), [(1, '<'), (0, '>')])
def test_the_stamp_is_read_from_the_bytes(topics_of, flag, order):
    found = topics_of({**TYPES, '/words': 'std_msgs/msg/String'})
    data = bytes([0, flag, 0, 0]) + struct.pack(f'{order}iI', 1000, 5) + bytes(20)
    stamped = BagMessage('/alpamayo/odometry', ODOMETRY, 1, data)
    assert found.stamp_ns(stamped) == 1000 * 10**9 + 5
    assert found.stamp_ns(BagMessage('/words', 'std_msgs/msg/String', 1, data)) == 0
    assert found.stamp_ns(BagMessage('/alpamayo/odometry', ODOMETRY, 1, data[:6])) == 0
