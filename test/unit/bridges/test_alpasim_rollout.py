"""Rollouts against a controller as strict as AlpaSim's: never empty, from where the car is now."""

from __future__ import annotations

import random

import numpy as np
import pytest
from alpasim_loop import CAMERAS, Rollout, session_request
from google.protobuf.message import DecodeError

from alpamayo_ros import pipeline
from alpamayo_ros.bridges.alpasim.contract import CALLS, message
from alpamayo_ros.bridges.alpasim.server import MAX_SESSIONS, Driver, Refused
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.scripted import Script, ScriptedRuntime
from alpamayo_ros.safety.config import PlanConfig

CONFIG = PlanConfig.from_files('nano')
FIRST = 17  # step of the first question: the recording drives 1.7 s


class Double:
    """The scripted runtime in this process; it dies before call number ``dies_at``."""

    def __init__(self, dies_at: int = 1 << 30, curvature_1pm: float = 0.0) -> None:
        script = Script(speed_mps=8.0, curvature_1pm=curvature_1pm)
        self.runtime = ScriptedRuntime(load_profile('nano'), script)
        self.calls, self.dies_at = 0, dies_at

    def ask(self, inputs):
        self.calls += 1
        if self.calls >= self.dies_at:
            return None, [Fault(Code.MODEL_ABSENT)]
        return pipeline.propose(inputs, self.runtime), []


def rollout(model=None, **options):
    tallies = []
    driver = Driver(CONFIG, model or Double(), {}, lambda uuid, tally: tallies.append(tally))
    return Rollout(driver, **options).start(), tallies


def close(run, tallies):
    run.driver.close_session(message('DriveSessionCloseRequest')(session_uuid=run.uuid))
    return tallies[-1]


def test_the_first_question_after_the_recording_has_a_plan_and_speed_grows():
    run, tallies = rollout()
    tally = close(run.run(FIRST + 10), tallies)
    assert tally.modes == {'ACTIVE': 10} and tally.drives == 10
    assert run.speeds[-1] > 5.3 and abs(run.pose[1]) < 0.1
    reply = run.replies[-1]
    assert len(reply.debug_info.sampled_trajectories) == 8
    assert b'follow the road' in reply.debug_info.unstructured_debug_info
    assert tally.images == 6 * (FIRST + 10)


def test_questions_during_the_recording_are_answered_too():
    run, tallies = rollout(asks_in_warm_up=True)
    tally = close(run.run(FIRST + 3), tallies)
    assert tally.drives == FIRST + 3 and tally.modes['ACTIVE'] >= 3


def test_lost_pictures_and_a_late_camera_leave_a_plan():
    run, tallies = rollout(drop={'front': {20}, 'rear': {22, 23}})
    assert close(run.run(FIRST + 10), tallies).faults['SET_INCOMPLETE'] == 3
    run, tallies = rollout(late={'rear': 1})
    assert close(run.run(FIRST + 6), tallies).modes['ACTIVE'] >= 5


def test_a_model_that_dies_ends_in_a_standstill_never_in_an_empty_reply():
    run, tallies = rollout(Double(dies_at=4))
    tally = close(run.run(FIRST + 100), tallies)
    assert tally.modes['FALLBACK'] > 50 and run.speeds[-1] < 0.05
    braking = -np.diff(run.speeds[FIRST:]) / 0.1
    assert braking.max() < 2.6 and (np.diff(run.speeds[FIRST + 20 :]) < 1e-3).all()
    last = run.replies[-1].trajectory.poses
    assert abs(last[-1].pose.vec.x - last[0].pose.vec.x) < 0.05


def test_without_any_plan_it_brakes_from_question_to_question():
    """No picture ever comes: the state machine never starts, and the car must stand anyway."""
    everything = {name: set(range(200)) for name in CAMERAS}
    run, tallies = rollout(drop=everything, speed_mps=3.0)
    tally = close(run.run(FIRST + 60), tallies)
    assert tally.modes['FALLBACK'] == 0 or tally.faults['MODEL_LATE']
    assert run.speeds[-1] < 0.05 and (np.diff(run.speeds[FIRST:]) < 1e-3).all()


def test_ground_truth_changes_no_byte_and_equal_requests_give_equal_bytes():
    data = []
    for options in ({}, {'truth': True}, {'uuid': 'two'}):
        run, _ = rollout(**options)
        data.append([r.SerializeToString(deterministic=True) for r in run.run(FIRST + 3).replies])
    assert data[0] == data[1] == data[2] and len(data[0]) == 3


def test_height_and_slope_of_the_car_are_kept():
    run, _ = rollout()
    run.run(FIRST)
    motion = message('RolloutEgoTrajectory')(session_uuid='one')
    timed = motion.trajectory.poses.add(timestamp_us=FIRST * 100_000)
    timed.pose.vec.x, timed.pose.vec.z = run.pose[0], 3.0
    half = -0.05  # nose up by 0.1 rad
    timed.pose.quat.w, timed.pose.quat.y = np.cos(half), np.sin(half)
    motion.dynamic_states.add().linear_velocity.x = 5.0
    run.driver.submit_egomotion_observation(motion)
    asked = message('DriveRequest')(session_uuid='one', time_now_us=FIRST * 100_000)
    poses = run.driver.drive(asked).trajectory.poses
    first, last = poses[0].pose, poses[-1].pose
    rise = (last.vec.z - first.vec.z) / (last.vec.x - first.vec.x)
    assert rise == pytest.approx(np.tan(0.1), rel=1e-3)
    assert first.quat.y == pytest.approx(np.sin(half), abs=1e-6)


@pytest.mark.parametrize(
    ('call', 'request_', 'status', 'words'),
    [
        ('drive', message('DriveRequest')(session_uuid='who'), 'NOT_FOUND', "no session 'who'"),
        ('start_session', session_request('one'), 'ALREADY_EXISTS', 'is open'),
        ('start_session', session_request(''), 'INVALID_ARGUMENT', '1 to 128 characters'),
        ('start_session', session_request('x', names=['front']), 'INVALID_ARGUMENT',
         "CAM_IDENTITY: the rollout has no camera 'front_left' or 'camera_front_left'"),
        ('drive', message('DriveRequest')(session_uuid='one'), 'FAILED_PRECONDITION', 'ODOM_GAP'),
        ('drive', message('DriveRequest')(session_uuid='one', time_now_us=1 << 63),
         'INVALID_ARGUMENT', 'STAMP_INVALID'),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_a_status(call, request_, status, words):
    run, _ = rollout()
    with pytest.raises(Refused, match=words) as refused:
        getattr(run.driver, call)(request_)
    assert refused.value.status == status


def test_a_lens_that_is_not_supported_refuses_the_rollout():
    request = session_request('two')
    lens = request.rollout_spec.vehicle.available_cameras[2].intrinsics.opencv_pinhole_param
    lens.thin_prism_coeffs.append(0.1)
    with pytest.raises(Refused, match='CALIBRATION: .*thin prism'):
        rollout()[0].driver.start_session(request)


def test_two_cameras_of_the_profile_are_not_one():
    both = {'front': 'camera_rear', 'rear': 'camera_rear'}
    with pytest.raises(Refused, match="front and rear are both 'camera_rear'"):
        Driver(CONFIG, Double(), both).start_session(session_request('one'))


def test_sessions_are_few():
    driver = rollout()[0].driver
    for i in range(MAX_SESSIONS - 1):
        driver.start_session(session_request(f'more {i}'))
    with pytest.raises(Refused, match='close one first') as refused:
        driver.start_session(session_request('last'))
    assert refused.value.status == 'RESOURCE_EXHAUSTED'


def test_a_bad_picture_is_a_fault_and_the_next_good_one_counts():
    run, tallies = rollout()
    image = message('RolloutCameraImage')(session_uuid='one')
    image.camera_image.logical_id = 'camera_front'
    for i, data in enumerate((b'', b'\xff\xd8\xff', b'GIF89a', b'\x89PNG\r\n\x1a\n' + b'\0' * 40)):
        image.camera_image.frame_end_us, image.camera_image.image_bytes = i, data
        run.driver.submit_image_observation(image)
    run.run(FIRST + 2)
    tally = close(run, tallies)
    assert tally.faults['IMG_HEADER'] == 4 and tally.modes == {'ACTIVE': 2}


def test_mutated_messages_never_crash_it():
    """A thousand of them: refused with a status, taken, or no message at all."""
    run, _ = rollout()
    run.run(2)
    rng = random.Random(5)
    seeds = {'start_session': session_request('new'), 'close_session': None, 'get_version': None}
    for name, (kind, _) in CALLS.items():
        made = seeds.get(name) or message(kind)()
        if hasattr(made, 'session_uuid') and name not in seeds:
            made.session_uuid = 'one'
        if name == 'submit_egomotion_observation':
            made.trajectory.poses.add(timestamp_us=300_000).pose.quat.w = 1.0
            made.dynamic_states.add().linear_velocity.x = 5.0
        if name == 'submit_image_observation':
            made.camera_image.logical_id = 'camera_front'
            made.camera_image.image_bytes = bytes(200)
        if name == 'submit_route':
            made.route.waypoints.add(x=1.0)
            made.route.waypoints.add(x=9.0)
        data = made.SerializeToString()
        for _ in range(125):
            changed = bytearray(data or b'\x00')
            for _ in range(rng.randint(1, 4)):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            cut = bytes(changed[: rng.randint(0, len(changed))])
            try:
                getattr(run.driver, name)(message(kind).FromString(cut))
            except (DecodeError, Refused):
                continue
    assert len(CAMERAS) == 6
