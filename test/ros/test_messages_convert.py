"""Records to messages and back, without loss."""

import math

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from geometry_msgs.msg import Pose
from nav_msgs.msg import Odometry

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.nodes.common import convert
from alpamayo_ros.nodes.world_topics import camera_info, tracked
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.reduction import reduction, scaled, shrink
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.types import EgoHistory, EgoState, FrameSet, Proposal

PROFILE = load_profile('nano')
ROUND = 1_795_439_018_869_541_832  # a time of this century in nanoseconds


def frames():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (7, 64, 112, 3), dtype=np.uint8)
    stamps = np.full(7, ROUND) + np.arange(7) * 1_000_003
    return FrameSet(ROUND, images, stamps, np.arange(7) != 3)


def test_time_is_exact_to_the_nanosecond():
    assert convert.ns(convert.stamp(ROUND)) == ROUND
    assert convert.ns(convert.stamp(-1)) == 0


@pytest.mark.parametrize('angle', [0.0, 1.0, -3.1, math.pi])
def test_heading_comes_back(angle):
    found = convert.heading(convert.pose(1.0, 2.0, angle))
    assert math.remainder(found - angle, math.tau) == pytest.approx(0.0, abs=1e-12)


def test_heading_of_a_tilted_pose_is_its_yaw():
    pose = Pose()
    q = pose.orientation  # yaw 90 deg, then pitch 20 deg
    half_yaw, half_pitch = math.pi / 4, math.radians(10)
    q.w, q.x = (
        math.cos(half_yaw) * math.cos(half_pitch),
        -math.sin(half_yaw) * math.sin(half_pitch),
    )
    q.y, q.z = math.cos(half_yaw) * math.sin(half_pitch), math.sin(half_yaw) * math.cos(half_pitch)
    assert convert.heading(pose) == pytest.approx(math.pi / 2)


def test_frame_set_comes_back():
    before = frames()
    message = convert.frame_set_message(before, PROFILE, sequence=4)
    after = convert.frame_set(message, PROFILE)
    assert after.t0_ns == before.t0_ns and message.sequence == 4
    for name in ('images', 'stamps_ns', 'valid'):
        assert np.array_equal(getattr(after, name), getattr(before, name))


def test_a_frame_set_of_another_size_is_refused():
    message = convert.frame_set_message(frames(), PROFILE, 1)
    message.width += 1
    found = convert.frame_set(message, PROFILE)
    assert isinstance(found, Fault) and found.code is Code.IMG_SIZE


def test_ego_history_comes_back():
    rng = np.random.default_rng(1)
    columns = [rng.normal(size=16).astype(np.float32) for _ in range(4)]
    poses = rng.normal(size=(16, 3)).astype(np.float32)
    before = EgoHistory(ROUND, poses, *columns, np.arange(16) < 9, 20_000_000)
    anchor = EgoState(ROUND, 3.0, 4.0, 0.5, 1.0)
    message = convert.ego_history_message(before, anchor, 0.1)
    after = convert.ego_history(message, PROFILE)
    assert after.extrapolated_ns == before.extrapolated_ns
    for name in ('poses', 'speed_mps', 'acceleration_mps2', 'yaw_rate_rps', 'valid'):
        assert np.array_equal(getattr(after, name), getattr(before, name))
    assert convert.heading(message.pose_in_odom) == pytest.approx(0.5)


def test_proposal_comes_back_and_uneven_candidates_are_refused():
    values = np.random.default_rng(2).normal(size=(8, 60, 3)).astype(np.float32)
    before = Proposal(ROUND, values, 'intent: stop', (1, 2), True, {'encode': 1.5}, ROUND - 1)
    message = convert.candidates_message(before, 0.1)
    after = convert.proposal(message, 0.1)
    assert np.array_equal(after.candidates, before.candidates)
    assert (after.text, after.token_ids, after.truncated) == ('intent: stop', (1, 2), True)
    assert after.text_t0_ns == ROUND - 1 and after.stage_ms == {'encode': 1.5}
    message.candidates[3].x_m = message.candidates[3].x_m[:59]
    assert convert.proposal(message, 0.1).code is Code.PLAN_SHAPE


def history_message():
    ones = np.ones(16, np.float32)
    before = EgoHistory(ROUND, np.ones((16, 3), np.float32), *[ones] * 4, np.full(16, True))
    return convert.ego_history_message(before, EgoState(ROUND, 3.0, 4.0, 0.5, 1.0), 0.1)


@pytest.mark.parametrize('name', ['x_m', 'speed_mps', 'steering_rad', 'valid'])
def test_a_history_of_ragged_columns_is_refused(name):
    message = history_message()
    assert not isinstance(convert.ego_history(message, PROFILE), Fault)
    setattr(message, name, getattr(message, name)[:9])
    assert convert.ego_history(message, PROFILE).code is Code.EGO_HISTORY


@pytest.mark.parametrize('name', ['heading_rad', 'acceleration_mps2', 'yaw_rate_rps'])
def test_a_history_that_is_not_finite_is_refused(name):
    message = history_message()
    getattr(message, name)[3] = math.inf
    assert convert.ego_history(message, PROFILE).code is Code.EGO_HISTORY
    message = history_message()
    message.extrapolated_s = math.inf
    assert convert.ego_history(message, PROFILE).code is Code.EGO_HISTORY
    message = history_message()
    message.steering_rad[0] = math.nan  # unknown
    assert not isinstance(convert.ego_history(message, PROFILE), Fault)


def test_a_whole_frame_set_of_another_profile_is_refused():
    before = frames()
    other = FrameSet(ROUND, before.images[:, :32], before.stamps_ns, before.valid)
    found = convert.frame_set(convert.frame_set_message(other, PROFILE, 1), PROFILE)
    assert isinstance(found, Fault) and found.code is Code.IMG_SIZE


def test_candidates_of_another_time_step_are_refused():
    values = np.zeros((8, 60, 3), np.float32)
    message = convert.candidates_message(Proposal(ROUND, values, ''), 0.1)
    assert isinstance(convert.proposal(message, 0.1), Proposal)
    for bad in (0.2, math.nan):
        message.candidates[5].dt_s = bad
        assert convert.proposal(message, 0.1).code is Code.PLAN_SHAPE


def odometry():
    message = Odometry(child_frame_id='base_link')
    message.header.frame_id, message.header.stamp = 'odom', convert.stamp(ROUND)
    message.pose.pose = convert.pose(1.0, 2.0, 0.3)
    message.twist.twist.linear.x = 5.0
    return message


def test_odometry_is_read_or_refused_by_name():
    expected = ('odom', 'base_link')
    state = convert.ego_state(odometry(), expected)
    assert (state.x_m, state.speed_mps, state.stamp_ns) == (1.0, 5.0, ROUND)
    broken = odometry()
    broken.twist.twist.angular.y = math.nan
    assert convert.ego_state(broken, expected).code is Code.ODOM_NAN
    foreign = odometry()
    foreign.child_frame_id = 'imu'
    assert convert.ego_state(foreign, expected).code is Code.ODOM_FRAME


def test_objects_in_odom_are_seen_from_the_car():
    from alpamayo_ros.msg import TrackedObjectArray

    agent = Agent(1, 'car', 10.0, 7.0, math.pi / 2, 4.0, 0.0, 4.5, 1.8, (0, 0, 0), False)
    message = TrackedObjectArray(objects=[tracked(agent)])
    message.header.frame_id = 'odom'
    car, frames = EgoState(0, 10.0, 2.0, math.pi / 2, 0.0), ('odom', 'base_link')
    (item,) = convert.tracked_objects(message, car, frames)
    assert (item.x_m, item.y_m) == (pytest.approx(5.0), pytest.approx(0.0))
    assert item.heading_rad == pytest.approx(0.0) and item.speed_mps == pytest.approx(4.0)


def test_objects_are_in_the_frames_that_the_rig_names():
    from alpamayo_ros.msg import TrackedObjectArray

    agent = Agent(1, 'car', 10.0, 7.0, math.pi / 2, 4.0, 0.0, 4.5, 1.8, (0, 0, 0), False)
    car, frames = EgoState(0, 10.0, 2.0, math.pi / 2, 0.0), ('ego_odom', 'rear_axle')
    found = {}
    for name in (*frames, 'odom', 'base_link'):
        message = TrackedObjectArray(objects=[tracked(agent)])
        message.header.frame_id = name
        found[name] = convert.tracked_objects(message, car, frames)
    assert found['odom'] is None and found['base_link'] is None
    assert found['ego_odom'][0].x_m == pytest.approx(5.0)
    assert found['rear_axle'][0].x_m == pytest.approx(10.0)


def test_camera_info_says_what_the_rig_says():
    camera = load_rig('sim').camera('front')
    message = camera_info(camera, ROUND)
    assert np.array_equal(np.array(message.k).reshape(3, 3), camera.matrix)
    assert (message.width, message.height) == (560, 320) and not any(message.d)


def test_simulated_images_are_decoded_whole_so_that_the_bytes_agree_with_training():
    for camera in load_rig('sim').cameras:
        assert reduction(camera, PROFILE) == 1


def test_reduced_intrinsics_look_at_the_same_ray():
    camera = load_rig('sim').camera('front')
    small = scaled(camera.matrix, 4)
    for pixel in (0.0, 101.0, 559.0):
        ray = (pixel - camera.matrix[0, 2]) / camera.matrix[0, 0]
        assert ((pixel + 0.5) / 4 - 0.5 - small[0, 2]) / small[0, 0] == pytest.approx(ray)


def test_shrink_is_the_mean_of_blocks():
    image = np.zeros((5, 4, 3), np.uint8)
    image[:2, :2] = 200
    out = shrink(image, 2)
    assert out.shape == (3, 2, 3) and out[0, 0, 0] == 200 and out[1:].max() == 0
