"""The scene's builder: each fault once, and a percentile only of enough cycles."""

import math

import pytest
from drives import SECOND, ego

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.safety.scene import CYCLES, RECENT, build_scene, decisive, known, pace_s


def test_each_code_counts_once_as_it_was_said_first_and_sorted_by_name():
    said = [Fault(Code.SKEW), Fault(Code.ODOM_GAP, 'first'), None, Fault(Code.ODOM_GAP, 'again')]
    assert known(said) == (Fault(Code.ODOM_GAP, 'first'), Fault(Code.SKEW))
    assert known(reversed(said)) == (Fault(Code.ODOM_GAP, 'again'), Fault(Code.SKEW))


def test_one_late_cycle_named_upstream_is_no_fault_of_the_scene():
    assert known([Fault(Code.MODEL_OVERRUN_WARN), Fault(Code.MODEL_OVERRUN)]) == (
        Fault(Code.MODEL_OVERRUN),
    )


@pytest.mark.parametrize('count', [0, 1, CYCLES - 1])
def test_too_few_cycles_have_no_percentile(count):
    assert build_scene(None, None, cycles_s=[9.0] * count).p99_cycle_s is None


def test_the_percentile_is_of_the_newest_cycles():
    scene = build_scene(None, None, cycles_s=[9.0] * 50 + [0.05] * (CYCLES - 1) + [0.15])
    assert 0.05 < scene.p99_cycle_s < 0.06
    late = build_scene(None, None, cycles_s=[0.05] * (CYCLES - 2) + [0.15] * 2)
    assert 0.14 < late.p99_cycle_s <= 0.15


def test_a_model_in_time_again_is_not_called_late_for_the_rest_of_a_hundred_cycles():
    late = [0.05] * (CYCLES - 40) + [0.15] * 40
    assert pace_s([*late, *[0.05] * (RECENT - 1)]) == pytest.approx(0.15)
    assert pace_s([*late, *[0.05] * RECENT]) == 0.05
    assert math.isnan(pace_s([*late, *[0.05] * (RECENT - 1), math.nan]))


def test_what_a_decision_has_to_see_changes_what_may_be_driven():
    seen = [Fault(c) for c in (Code.CAM_LOST, Code.ODOM_GAP_WARN, Code.ODOM_GAP, Code.CLOCK_BACK)]
    others = [Fault(c) for c in (Code.SKEW, Code.STAMP_LATE, Code.CLOCK_FORWARD, Code.TAKEOVER)]
    seen.append(Fault(Code.CALIBRATION_CHANGED))
    assert decisive([*others, *seen, *others]) == seen


def test_what_is_known_reaches_the_scene():
    here, before = ego(8.0, SECOND), ego(8.0, 0)
    scene = build_scene(before, here, (), [Fault(Code.SKEW)], [], 0.1, 7)
    assert (scene.ego, scene.ego_now, scene.objects) == (before, here, ())
    assert (scene.faults, scene.frame_age_s, scene.observed_ns) == ((Fault(Code.SKEW),), 0.1, 7)
