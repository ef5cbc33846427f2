"""Parts of the offline replay: topics, threads ahead and behind, truth, baseline, boxes, words."""

import math
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from alpamayo_ros.motion.bicycle import integrate_path
from alpamayo_ros.profile import load_profile
from alpamayo_ros.recording import events
from alpamayo_ros.replay.ahead import Behind, ahead
from alpamayo_ros.replay.baseline import constant_turn
from alpamayo_ros.replay.driven_after import Surroundings, boxes_in_odom, unplaced
from alpamayo_ros.replay.instructed import Instructed
from alpamayo_ros.replay.motion import Track
from alpamayo_ros.replay.topics import MappingError, Source, parse_maps, wire
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.types import EgoState

NS = 1_000_000_000
NANO, RIG = load_profile('nano'), load_rig('sim')
IMAGE, JPEG = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
ODOMETRY = 'nav_msgs/msg/Odometry'


# -- topics -------------------------------------------------------------------------------------
def test_topics_go_by_the_rig_raw_or_compressed():
    types = {
        '/alpamayo/camera/front/image_raw/compressed': JPEG,
        '/alpamayo/camera/front/image_raw': IMAGE,
        '/alpamayo/camera/rear/image_raw': IMAGE,
        '/camera/rear_left/image_raw/compressed': JPEG,
        '/alpamayo/odometry': ODOMETRY,
        '/alpamayo/ground_truth/objects': 'alpamayo_ros/msg/TrackedObjectArray',
        '/alpamayo/camera/front/camera_info': 'sensor_msgs/msg/CameraInfo',
        '/tf': 'tf2_msgs/msg/TFMessage',
        '/alpamayo/imu': ODOMETRY,  # not an Imu
    }
    assert wire(types, RIG, NANO, {}) == {
        '/alpamayo/camera/front/image_raw/compressed': Source('image', 'front'),
        '/alpamayo/camera/rear/image_raw': Source('image', 'rear'),
        '/camera/rear_left/image_raw/compressed': Source('image', 'rear_left'),
        '/alpamayo/odometry': Source('odometry'),
        '/alpamayo/ground_truth/objects': Source('truth'),
        '/alpamayo/camera/front/camera_info': Source('info', 'front'),
    }


def test_a_mapped_topic_goes_before_one_of_our_name():
    types = {'/alpamayo/odometry': ODOMETRY, '/novatel/odom': ODOMETRY}
    found = wire(types, RIG, NANO, {'/novatel/odom': 'odometry'})
    assert found == {'/novatel/odom': Source('odometry')}


@pytest.mark.parametrize(
    ('types', 'maps', 'words'),
    [
        ({'/a': IMAGE}, {'/b': 'odometry'}, 'the bag has no /b; it has /a'),
        ({'/a': IMAGE}, {'/a': 'camera/roof'}, 'camera/roof is no input of ours; there are'),
        ({'/a': IMAGE}, {'/a': 'odometry'}, f'expected {ODOMETRY}, the bag has {IMAGE}'),
    ],
)
def test_a_wrong_mapping_says_what_there_is(types, maps, words):
    with pytest.raises(MappingError, match=words):
        wire(types, RIG, NANO, maps)


def test_mappings_are_parsed():
    assert parse_maps(['/a/b:=odometry', '/c:=/alpamayo/imu']) == {
        '/a/b': 'odometry', '/c': '/alpamayo/imu',
    }  # fmt: skip
    for wrong in ('a:=b', '/a=b', '/a:=', ':=b', ''):
        with pytest.raises(MappingError, match='expected recorded:=ours'):
            parse_maps([wrong])


# -- threads ------------------------------------------------------------------------------------
def test_ahead_keeps_the_order_and_is_never_far_ahead():
    made = []

    def items():
        for i in range(20):
            made.append(i)
            yield i

    for i in ahead(items(), 3):
        assert len(made) <= i + 1 + 3 + 1  # waiting, and the one that cannot be put yet
        time.sleep(0.001)
    assert made == list(range(20))


def test_ahead_hands_exceptions_over_and_ends_its_thread_when_left():
    def broken():
        yield 1
        raise ZeroDivisionError('here')

    stream = ahead(broken(), 2)
    assert next(stream) == 1
    with pytest.raises(ZeroDivisionError, match='here'):
        next(stream)
    before = threading.active_count()
    endless = ahead(iter(int, 1), 2)
    next(endless)
    assert threading.active_count() == before + 1
    endless.close()
    assert threading.active_count() == before


def test_behind_takes_everything_in_order_and_reports_errors():
    taken = []
    behind = Behind(taken.append, 2)
    for i in range(50):
        behind.put(i)
    behind.close()
    assert taken == list(range(50))

    def fail(item):
        raise OSError('disk full')

    behind = Behind(fail, 2)
    with pytest.raises(OSError, match='disk full'):
        for i in range(50):
            behind.put(i)
            time.sleep(0.001)
        behind.close()
    behind.close()


# -- truth --------------------------------------------------------------------------------------
def state(i, x, y=0.0, heading=0.0, speed=5.0):
    return EgoState(i * NS // 10, x, y, heading, speed)


def test_the_path_that_was_driven_is_seen_from_t0():
    track = Track()
    for i in range(1, 40):  # east at 5 m/s from (100, 50), looking north: sideways
        track.add(state(i, 100 + 0.5 * i, 50.0, math.pi / 2), False)
    anchor = EgoState(NS + NS // 20, 100 + 0.5 * 10.5, 50.0, math.pi / 2, 5.0)
    path, valid = track.after(anchor, 30, 0.1)
    assert valid[:28].all() and not valid[29]  # the last state is 2.85 s after t0
    np.testing.assert_allclose(path[:28, 1], -0.5 * np.arange(1, 29), atol=1e-9)
    np.testing.assert_allclose(path[:28, 0], 0.0, atol=1e-9)
    np.testing.assert_allclose(path[:28, 2], 0.0, atol=1e-9)


def test_no_truth_over_gaps_and_jumps():
    track = Track()
    for i in [*range(11), *range(14, 30)]:  # 0.3 s without odometry
        track.add(state(i, 0.5 * i), jumped=i == 20)
    _, valid = track.after(state(5, 2.5), 20, 0.1)
    known = [round((5 + 1 + i) / 10, 1) for i in np.flatnonzero(valid)]
    assert known == [0.6, 0.7, 0.8, 0.9, 1.0, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9]
    _, before = track.after(EgoState(-10 * NS, 0.0, 0.0, 0.0, 5.0), 20, 0.1)
    assert not before.any()
    assert not Track().after(state(5, 2.5), 3, 0.1)[1].any()


def test_forgetting_keeps_what_is_needed():
    track, whole = Track(), Track()
    for i in range(100):
        track.add(state(i, 0.5 * i), False)
        whole.add(state(i, 0.5 * i), False)
    track.forget_before(50 * NS // 10)
    for a, b in zip(
        track.after(state(50, 25.0), 40, 0.1), whole.after(state(50, 25.0), 40, 0.1), strict=True
    ):
        np.testing.assert_array_equal(a, b)


# -- baseline -----------------------------------------------------------------------------------
@pytest.mark.parametrize(('speed', 'rate'), [(8.0, 0.2), (8.0, -0.5), (3.0, 0.0), (0.0, 0.3)])
def test_the_baseline_is_the_arc_of_a_bicycle(speed, rate):
    path = constant_turn(speed, rate, 60, 0.1)
    if speed:
        one = np.ones((1, 60))
        arc = integrate_path(one * rate / speed, one * speed * 0.1)[0]
        np.testing.assert_allclose(path, arc, atol=1e-9)
    else:
        np.testing.assert_array_equal(path[:, :2], 0.0)


# -- boxes --------------------------------------------------------------------------------------
def test_boxes_are_those_of_the_nearest_instant_in_the_frame_of_t0():
    around = Surroundings()
    assert around.at_times(state(0, 0.0), [0]) is None
    for i in range(5):
        box = events.Box(1, 'car', 10.0 + i, 5.0, math.pi / 2, 1.0, 4.0, 2.0)
        around.add(i * NS // 10, [box] if i != 3 else [])
    anchor = EgoState(0, 10.0, 0.0, math.pi / 2, 5.0)
    seen = around.at_times(anchor, [NS // 10 + 1, 3 * NS // 10, 4 * NS // 10, NS])
    np.testing.assert_allclose(seen[0], [[5.0, -1.0, 0.0, 4.0, 2.0, 1.0]], atol=1e-9)
    assert seen[1].shape == (0, 6)
    np.testing.assert_allclose(seen[2][0, :2], [5.0, -4.0], atol=1e-9)
    assert seen[3] is None  # nobody looked then


def test_boxes_at_two_hertz_are_interpolated_by_their_ids():
    around = Surroundings()
    for i in range(3):
        boxes = [events.Box(1, 'car', 5.0 * i, 0.0, math.pi - 0.2 + 0.2 * i, 10.0, 4.0, 2.0)]
        if i != 1:
            boxes.append(events.Box(2, 'car', 50.0, float(i), 0.0, 0.0, 4.0, 2.0))
        around.add(i * NS // 2, boxes[::-1] if i else boxes)
    anchor = EgoState(0, 0.0, 0.0, 0.0, 5.0)
    seen = around.at_times(anchor, [NS // 10, 4 * NS // 10, 6 * NS // 10, 2 * NS])
    np.testing.assert_allclose(seen[0][:, 0], [1.0, 50.0])  # 2 is in the nearer instant alone
    np.testing.assert_allclose(seen[0][0, 2], math.pi - 0.16)
    np.testing.assert_allclose(seen[1][:, 0], [4.0])
    np.testing.assert_allclose(seen[2][0, 0], 6.0)
    assert seen[3] is None
    around.add(2 * NS, [])
    assert around.at_times(anchor, [3 * NS // 2])[0] is None  # a pause is a pause


def test_boxes_in_base_link_are_placed_by_the_car():
    vector = lambda x, y: SimpleNamespace(x=x, y=y, z=0.0)  # noqa: E731
    turn = SimpleNamespace(x=0.0, y=0.0, z=math.sin(0.05), w=math.cos(0.05))
    item = SimpleNamespace(
        id=3, kind='car', pose=SimpleNamespace(position=vector(10.0, 2.0), orientation=turn),
        velocity=vector(3 * math.cos(0.1), 3 * math.sin(0.1)), length_m=4.0, width_m=1.8,
    )  # fmt: skip
    message = SimpleNamespace(header=SimpleNamespace(frame_id='base_link'), objects=[item])
    box = boxes_in_odom(message, EgoState(0, 100.0, 0.0, math.pi / 2, 5.0))[0]
    assert (box.x_m, box.y_m) == pytest.approx((98.0, 10.0))
    assert box.heading_rad == pytest.approx(math.pi / 2 + 0.1)
    assert box.speed_mps == pytest.approx(3.0)
    assert boxes_in_odom(message, None) is None
    message.header.frame_id = 'camera'
    assert boxes_in_odom(message, EgoState(0, 0.0, 0.0, 0.0, 0.0)) is None
    message.header.frame_id = 'map'
    assert boxes_in_odom(message, EgoState(0, 0.0, 0.0, 0.0, 0.0)) is None
    assert "'map'" in unplaced(message, 'odom') and "'odom'" in unplaced(message, 'odom')
    assert boxes_in_odom(message, None, 'map')[0].x_m == 10.0


# -- words --------------------------------------------------------------------------------------
def stamp(time_ns):
    return SimpleNamespace(sec=time_ns // NS, nanosec=time_ns % NS)


def test_instructions_hold_a_period_after_they_were_given():
    words = Instructed()
    assert words.navigation(0) == 'follow the road'
    words.take('nav_text', SimpleNamespace(data='turn left in 80 m'), 2 * NS)
    assert words.navigation(2 * NS) == 'follow the road'
    assert words.navigation(2 * NS + NS // 10) == 'turn left in 80 m'
    words.take('nav_text', SimpleNamespace(data='open the pod bay doors'), 3 * NS)
    assert [fault.code.name for fault in words.faults] == ['NAV_FORMAT']
    assert words.navigation(4 * NS) == 'turn left in 80 m'
    instruction = SimpleNamespace(
        maneuver=2, distance_m=20.0, street='', exit_number=0,
        header=SimpleNamespace(stamp=stamp(5 * NS)), expires=stamp(6 * NS),
    )  # fmt: skip
    words.take('nav', instruction, 0)
    assert words.navigation(5 * NS + NS // 2) == 'turn right in 20 m'
    assert words.navigation(7 * NS) == 'follow the road'
    words.take('prompt_text', SimpleNamespace(data='drive\x00 gently'), 7 * NS)
    assert words.prompt(8 * NS) == 'drive gently'
