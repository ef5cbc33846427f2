"""What the trajectory node remembers between decisions, without a graph."""

import math

import pytest
from drives import SECOND, ego
from nav_msgs.msg import Odometry

from alpamayo_ros.faults import Code
from alpamayo_ros.limits import load_limits
from alpamayo_ros.msg import CandidateArray, FrameSetInfo, TrackedObject, TrackedObjectArray
from alpamayo_ros.nodes.awareness import Awareness
from alpamayo_ros.nodes.common import convert
from alpamayo_ros.nodes.common.convert import stamp
from alpamayo_ros.profile import load_profile


def info(t0_ns: int, *codes: Code) -> FrameSetInfo:
    """An accepted set, and what was found beside it."""
    message = FrameSetInfo(accepted=True, faults=[code.name for code in codes])
    message.header.stamp = stamp(t0_ns)
    return message


def found(aware: Awareness, observed_ns: int | None = None) -> set[Code]:
    """Codes that the next decision sees."""
    return {fault.code for fault in aware.scene(None, observed_ns, ()).faults}


def awareness(lockstep: bool) -> Awareness:
    return Awareness(load_profile('nano'), lockstep, objects_expected=False)


@pytest.mark.parametrize('code', [Code.CALIBRATION_CHANGED, Code.CLOCK_BACK, Code.CAMS_LOST])
def test_what_is_found_beside_an_accepted_set_reaches_one_decision(code):
    """Also when the planner, who is busy, never answers that set."""
    aware = awareness(lockstep=False)
    aware.frames(info(SECOND, code))
    aware.frames(info(SECOND + SECOND // 10))
    assert found(aware) == {code}
    assert found(aware) == set()


def test_what_changes_no_state_is_left_to_the_reply():
    aware = awareness(lockstep=False)
    aware.frames(info(SECOND, Code.CAM_STALE, Code.SKEW_WARN))
    assert found(aware) == set()


def test_in_lockstep_a_fault_waits_for_its_timestep():
    aware = awareness(lockstep=True)
    aware.frames(info(2 * SECOND, Code.CALIBRATION_CHANGED))
    assert found(aware, SECOND) == set()
    assert found(aware, 2 * SECOND) == {Code.CALIBRATION_CHANGED}


def test_after_the_clock_stepped_back_old_odometry_does_not_block_the_new():
    aware = awareness(lockstep=False)
    aware.odometry(ego(8.0, 100 * SECOND))
    aware.restart()
    aware.odometry(ego(8.0, 100 * SECOND - SECOND // 2))
    assert aware.buffer.newest is not None
    assert aware.buffer.newest.stamp_ns == 100 * SECOND - SECOND // 2
    assert Code.STAMP_LATE not in found(aware)


def odometry(stamp_ns: int) -> Odometry:
    """A car at rest at the origin."""
    message = Odometry(child_frame_id='base_link')
    message.header.stamp, message.header.frame_id = stamp(stamp_ns), 'odom'
    message.pose.pose.orientation.w = 1.0
    return message


def test_f20_odometry_of_the_future_is_refused_by_name_and_blocks_nothing():
    aware, limits = awareness(lockstep=False), load_limits()
    now_ns = 100 * SECOND

    def take(stamp_ns: int) -> set[Code]:
        message = odometry(stamp_ns)
        aware.odometry(convert.ego_state(message, ('odom', 'base_link'), limits, now_ns))
        return found(aware) & {Code.STAMP_INVALID, Code.STAMP_LATE}

    edge_ns = round(limits.stamp_future_s * SECOND)
    assert take(now_ns - SECOND // 50) == set()
    assert take(now_ns + 3600 * SECOND) == take(now_ns + edge_ns + 1) == {Code.STAMP_INVALID}
    assert take(now_ns) == set()
    assert take(now_ns + edge_ns) == set()


@pytest.mark.parametrize('bad', [math.nan, math.inf])
def test_a_cycle_time_that_is_no_number_counts_for_nothing(bad):
    aware = awareness(lockstep=False)
    assert aware.reply(CandidateArray(stages=['encode'], stage_ms=[20.0])) == pytest.approx(0.02)
    assert aware.reply(CandidateArray(stages=['encode'], stage_ms=[bad])) is None


def objects(t0_ns: int, frame: str = 'odom', **changes: float) -> TrackedObjectArray:
    """Two objects, the second with ``changes``."""
    items = [TrackedObject(id=n, kind='car', length_m=4.5, width_m=1.8) for n in (1, 2)]
    for name, value in changes.items():
        setattr(items[1], name, value)
    message = TrackedObjectArray(objects=items)
    message.header.stamp, message.header.frame_id = stamp(t0_ns), frame
    return message


@pytest.mark.parametrize(
    ('message', 'used'),
    [
        (None, None),
        (objects(9 * SECOND), None),
        (objects(10 * SECOND, 'lidar'), None),
        (objects(10 * SECOND, length_m=float('nan')), 1),
        (objects(10 * SECOND), 2),
        (objects(10 * SECOND, 'base_link'), 2),
    ],
)
def test_objects_are_used_fresh_finite_and_in_a_known_frame_or_named(message, used):
    aware = Awareness(load_profile('nano'), False, objects_expected=True)
    aware.odometry(ego(8.0, 10 * SECOND))
    if message is not None:
        aware.objects(message)
    scene = aware.scene(None, None, ())
    assert (None if scene.objects is None else len(scene.objects)) == used
    assert (Code.OBJECTS in {f.code for f in scene.faults}) == (used != 2)


def test_where_nobody_expects_objects_none_are_missed():
    aware = awareness(lockstep=False)
    aware.odometry(ego(8.0, 10 * SECOND))
    assert Code.OBJECTS not in found(aware)
