"""The state machine, row by row of docs/faults.md, "States"."""

import re
from dataclasses import replace

import pytest
from drives import LIMITS, SECOND, VEHICLE, ego, plan
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.faults import Code, Fault, Reaction
from alpamayo_ros.motion import fallback
from alpamayo_ros.safety.state import (
    DRIVING,
    Events,
    Mode,
    SafetyState,
    advance,
    arm,
    disarm,
    rearm,
    reset,
)

STEP = SECOND // 10


def drive(state, *codes, valid=True, speed=8.0, times=1, **options):
    """``times`` calls, 100 ms apart, with the same faults."""
    now = drive.now
    for _ in range(times):
        now += STEP
        events = Events(tuple(Fault(c) for c in codes), valid, speed)
        state = advance(state, events, LIMITS, now, **options)
    drive.now = now
    return state


@pytest.fixture(autouse=True)
def clock():
    drive.now = 0


def active():
    state = drive(SafetyState(), times=12, valid=None)
    return arm(state, drive.now)


def test_init_until_inputs_are_valid_for_a_second():
    state = drive(SafetyState(), Code.FRAME_HISTORY, times=20)
    assert state.mode is Mode.INIT
    state = drive(state, times=10)
    assert state.mode is Mode.INIT
    assert drive(state, times=1).mode is Mode.READY


def test_an_interruption_starts_the_second_again():
    state = drive(SafetyState(), times=8)
    state = drive(state, Code.ODOM_GAP)
    assert drive(state, times=10).mode is Mode.INIT


def test_warnings_about_plans_do_not_hold_up_init():
    assert drive(SafetyState(), Code.PLAN_WARN, times=12).mode is Mode.READY


def test_ready_waits_for_a_person():
    state = drive(SafetyState(), times=30)
    assert state.mode is Mode.READY
    assert arm(state, drive.now).mode is Mode.ACTIVE
    assert drive(state, auto_arm=True).mode is Mode.ACTIVE


@pytest.mark.parametrize('mode', [Mode.INIT, Mode.FALLBACK, Mode.FAULT, Mode.DEGRADED])
def test_arming_is_worth_nothing_elsewhere_and_not_remembered(mode):
    state = SafetyState(mode=mode)
    assert arm(state, 0) == state


def test_ready_loses_its_inputs():
    state = drive(SafetyState(), times=12)
    assert drive(state, Code.ODOM_GAP).mode is Mode.INIT


@pytest.mark.parametrize('code', list(Code), ids=lambda c: c.name)
def test_reaction_of_every_code_while_active(code):
    state = drive(active(), code)
    if code is Code.CLOCK_BACK:
        assert state.mode is Mode.INIT
        return
    if code is Code.TAKEOVER:  # a note, and the driver drives
        assert state.mode is Mode.READY and state.previous_plan is None
        return
    expected = {
        Reaction.NOTE: Mode.ACTIVE,
        Reaction.REFUSE: Mode.ACTIVE,
        Reaction.MASK: Mode.DEGRADED,
        Reaction.DEGRADE: Mode.DEGRADED,
        Reaction.FALLBACK: Mode.FALLBACK,
        Reaction.FAULT: Mode.FAULT,
    }
    assert state.mode is expected[code.reaction]
    if state.mode is not Mode.ACTIVE:
        assert code.name in state.reason


def test_degraded_clears_after_a_second():
    state = drive(active(), Code.PLAN_WARN)
    state = drive(state, times=10)
    assert state.mode is Mode.DEGRADED
    assert drive(state, times=1).mode is Mode.ACTIVE


def test_soft_sensing_fault_falls_back_after_three_seconds():
    state = drive(active(), Code.CAM_LOST, times=30)
    assert state.mode is Mode.DEGRADED
    assert drive(state, Code.CAM_LOST).mode is Mode.FALLBACK


def test_other_warnings_stay_degraded():
    assert drive(active(), Code.PLAN_WARN, times=200).mode is Mode.DEGRADED


def test_fallback_at_speed_needs_inputs_three_plans_and_a_person():
    state = drive(active(), Code.ODOM_GAP)
    assert state.mode is Mode.FALLBACK and state.rearm_required
    state = drive(state, times=20)
    assert state.mode is Mode.FALLBACK
    assert drive(rearm(state)).mode is Mode.ACTIVE


def test_rearming_too_early_does_not_help():
    state = rearm(drive(active(), Code.ODOM_GAP))
    assert drive(state, times=2).mode is Mode.FALLBACK
    assert drive(state, times=3).mode is Mode.ACTIVE


def test_slow_fallback_ends_without_a_person():
    state = drive(active(), Code.ODOM_GAP)
    assert drive(state, times=2, speed=1.5).mode is Mode.FALLBACK
    assert drive(state, times=3, speed=1.5).mode is Mode.ACTIVE
    assert drive(state, times=3, speed=2.5).mode is Mode.FALLBACK
    assert drive(state, times=3, speed=2.5, auto_rearm=True).mode is Mode.ACTIVE


def test_an_invalid_plan_starts_the_count_again():
    state = drive(active(), Code.ODOM_GAP)
    state = drive(state, times=2, speed=0.0)
    state = drive(state, valid=False, speed=0.0)
    assert drive(state, times=2, speed=0.0).mode is Mode.FALLBACK


def test_timer_calls_neither_count_nor_reset():
    state = drive(active(), Code.ODOM_GAP)
    state = drive(state, times=2, speed=0.0)
    state = drive(state, valid=None, times=3, speed=0.0)
    assert state.mode is Mode.FALLBACK
    assert drive(state, speed=0.0).mode is Mode.ACTIVE


def test_fallback_does_not_end_while_the_fault_holds():
    state = drive(active(), Code.ODOM_GAP)
    assert drive(state, Code.ODOM_GAP, times=50, speed=0.0).mode is Mode.FALLBACK


def test_recovery_with_a_warning_is_degraded():
    state = drive(active(), Code.ODOM_GAP)
    assert drive(state, Code.PLAN_WARN, times=3, speed=0.0).mode is Mode.DEGRADED


def test_clock_back_forgets_everything_but_the_counters():
    state = active()
    state = drive(SafetyState(mode=Mode.ACTIVE, plan_id=7, sequence=9), Code.CLOCK_BACK)
    assert (state.mode, state.plan_id, state.sequence) == (Mode.INIT, 7, 9)
    assert state.previous_plan is None


def test_driver_takes_over():
    state = disarm(active(), drive.now, 'the driver took over')
    assert state.mode is Mode.READY and 'driver' in state.reason
    assert drive(state, times=5).mode is Mode.READY


@given(st.lists(st.tuples(st.sampled_from(list(Code)), st.booleans(), st.integers(0, 5))))
def test_fault_is_final(happenings):
    state = SafetyState(mode=Mode.FAULT)
    drive.now = 0
    for code, valid, action in happenings:
        state = drive(state, code, valid=valid, auto_arm=True, auto_rearm=True)
        for act in (arm, disarm)[:action]:
            state = act(state, drive.now)
        state = rearm(state)
        assert state.mode is Mode.FAULT
    assert reset(state, drive.now).mode is Mode.INIT


@given(st.lists(st.tuples(st.sampled_from(list(Code)), st.booleans(), st.floats(0, 12))))
def test_driving_always_passed_through_init_and_ready(happenings):
    """From INIT without arming no sequence of faults reaches a driving state."""
    state = SafetyState()
    drive.now = 0
    for code, valid, speed in happenings:
        state = drive(state, code, valid=valid, speed=speed, times=3)
        assert state.mode in (Mode.INIT, Mode.READY, Mode.FAULT)


@given(st.sampled_from([c for c in Code if c.reaction is Reaction.FAULT]))
def test_any_state_can_fail(code):
    for mode in Mode:
        assert drive(SafetyState(mode=mode), code).mode is Mode.FAULT


def test_only_what_lacks_nothing_else_awaits_a_person():
    """REARM_NEEDED holds between proposals too, and ends with a person's word."""
    state = drive(active(), Code.ODOM_GAP)
    state = drive(state, times=LIMITS.rearm_plans - 1)
    assert not state.awaits_rearm
    state = drive(state, times=1)
    assert state.mode is Mode.FALLBACK and state.awaits_rearm
    assert drive(state, valid=None).awaits_rearm
    assert not drive(state, Code.ODOM_GAP).awaits_rearm
    assert not drive(rearm(state)).awaits_rearm


STOP = fallback.begin(plan(8.0), ego(8.0), 0, VEHICLE, LIMITS)
PARTS = {'stop': STOP, 'previous_plan': plan(8.0), 'proposed_ns': 5, 'newest_t0_ns': 4}
FULL = SafetyState(  # nothing in it is as in a new one
    mode=Mode.FALLBACK, since_ns=1, sequence=9, plan_id=7, clear_since_ns=2, soft_since_ns=3,
    valid_plans=6, rearmed=True, awaits_rearm=True, published_ns=8, decided_ns=10, **PARTS,
)  # fmt: skip


def test_the_values_are_those_of_the_message(repository):
    text = (repository / 'msg' / 'Health.msg').read_text()
    stated = {mode: int(re.search(rf'uint8 {mode.name}=(\d)', text).group(1)) for mode in Mode}
    assert stated == {mode: int(mode) for mode in Mode} and len(stated) == 6
    assert DRIVING == (Mode.ACTIVE, Mode.DEGRADED)


def test_a_new_state_remembers_nothing():
    new = SafetyState()
    assert (new.mode, new.since_ns, new.sequence, new.plan_id) == (Mode.INIT, 0, 0, 0)
    assert (new.valid_plans, new.rearmed, new.awaits_rearm) == (0, False, False)


def test_only_the_counters_outlive_a_new_beginning():
    kept = SafetyState(since_ns=50, sequence=9, plan_id=7, reason='reconfigured')
    assert reset(FULL, 50) == kept
    jumped = advance(FULL, Events((Fault(Code.CLOCK_BACK),), None, 8.0), LIMITS, 50)
    assert jumped == replace(kept, reason='the clock jumped back')


@pytest.mark.parametrize('reaction', [Reaction.MASK, Reaction.DEGRADE, Reaction.FALLBACK])
def test_a_clock_that_steps_back_begins_anew_whatever_else_is_wrong(reaction):
    beside = next(c for c in Code if c.reaction is reaction)
    state = drive(active(), beside, Code.CLOCK_BACK)
    assert (state.mode, state.reason) == (Mode.INIT, 'the clock jumped back')


def test_the_clock_is_no_way_out_of_a_fault():
    both = (Code.CLOCK_BACK, Code.CALIBRATION_CHANGED)
    assert drive(active(), *both).mode is Mode.FAULT


@pytest.mark.parametrize('code', [Code.PLAN_WARN, Code.SPREAD_WARN, Code.COLLISION_WARN])
def test_before_driving_what_is_said_of_plans_counts_for_nothing(code):
    assert drive(SafetyState(), code, times=12).mode is Mode.READY
    ready = drive(SafetyState(), times=12)
    assert drive(ready, code, auto_arm=True).mode is Mode.ACTIVE
    assert drive(active(), code).mode is Mode.DEGRADED


def test_words_that_disagree_hold_up_no_start_however_bad_they_are_held():
    worse = Events((Fault(Code.COC_DISAGREES, raised=Reaction.FALLBACK),), None, 8.0)
    ready = replace(drive(SafetyState(), times=12), clear_since_ns=0)
    assert advance(ready, worse, LIMITS, SECOND, auto_arm=True).mode is Mode.ACTIVE
    assert advance(replace(ready, mode=Mode.ACTIVE), worse, LIMITS, 1).mode is Mode.FALLBACK
    mild = Fault(Code.COC_DISAGREES, 'said otherwise', raised=Reaction.FALLBACK)
    both = Events((Fault(Code.NODE_LOST), mild), None, 8.0)
    assert advance(replace(ready, mode=Mode.ACTIVE), both, LIMITS, 1).reason == str(mild)


def test_a_note_is_as_good_as_clear_and_a_refusal_is_not():
    assert drive(SafetyState(), Code.SKEW_WARN, times=11).mode is Mode.READY
    assert drive(SafetyState(), Code.STAMP_LATE, times=30).mode is Mode.INIT
    assert drive(SafetyState(), times=1).clear_since_ns == drive.now


def test_armed_by_itself_with_a_fault_it_is_degraded():
    ready = drive(SafetyState(), times=12)
    assert drive(ready, Code.CAM_LOST, auto_arm=True).mode is Mode.DEGRADED
    assert drive(ready, Code.STAMP_LATE, auto_arm=True).mode is Mode.ACTIVE
    assert drive(ready, Code.ODOM_GAP, auto_arm=True).mode is Mode.INIT


@pytest.mark.parametrize('mode', [Mode.READY, Mode.ACTIVE, Mode.DEGRADED])
def test_a_takeover_wins_over_arming_by_itself(mode):
    state = drive(SafetyState(mode=mode), Code.TAKEOVER, auto_arm=True, times=3)
    assert state.mode is Mode.READY


def test_a_takeover_says_so():
    assert drive(active(), Code.TAKEOVER).reason == 'the driver has taken over'


@pytest.mark.parametrize('code', [Code.ODOM_GAP, Code.MODEL_ABSENT])
def test_without_a_proposal_a_stopping_fault_starts_the_count_again(code):
    state = replace(active(), valid_plans=5)
    assert drive(state, valid=None).valid_plans == 5
    assert drive(state, Code.CAM_LOST, valid=None).valid_plans == 5
    assert drive(state, Code.CALIBRATION_CHANGED, valid=None).valid_plans == 0
    stopping = drive(SafetyState(mode=Mode.FALLBACK, valid_plans=2), code, valid=None)
    assert stopping.valid_plans == 0
    assert drive(state).valid_plans == 6 and drive(state, valid=False).valid_plans == 0


def test_a_fault_in_force_counts_in_a_stop_too():
    """Soft for three seconds already: good plans do not end the stop."""
    state = drive(active(), Code.CAM_LOST, times=31)
    assert state.mode is Mode.FALLBACK
    assert drive(state, Code.CAM_LOST, times=20, speed=0.0).mode is Mode.FALLBACK
    assert drive(state, times=3, speed=0.0).mode is Mode.ACTIVE


def test_recovery_beside_a_masked_camera_is_degraded():
    state = drive(active(), Code.ODOM_GAP)
    assert drive(state, Code.CAM_LOST, times=3, speed=0.0).mode is Mode.DEGRADED


def test_at_the_speed_of_the_limit_nobody_has_to_rearm():
    state = drive(active(), Code.ODOM_GAP)
    assert drive(state, times=3, speed=LIMITS.rearm_speed_mps).mode is Mode.ACTIVE


def test_the_reason_is_the_worst_fault_and_of_equals_the_more_severe():
    worst = drive(active(), Code.CAM_LOST, Code.ODOM_GAP, Code.PLAN_WARN)
    assert worst.reason.startswith('ODOM_GAP:')
    assert drive(active(), Code.PLAN_WARN, Code.NODE_LOST).reason.startswith('NODE_LOST:')
    assert drive(active(), Code.NODE_LOST, Code.PLAN_WARN).reason.startswith('NODE_LOST:')


def test_what_belongs_to_a_mode_ends_with_it():
    state = advance(FULL, Events((), True, 0.0), LIMITS, 20)
    assert state.mode is Mode.ACTIVE and state.since_ns == 20 and state.reason == 'recovered'
    assert state.stop is None and not state.rearmed and not state.awaits_rearm
    assert state.valid_plans == 7 and state.previous_plan is FULL.previous_plan


@pytest.mark.parametrize(('held_s', 'mode'), [(2.9, Mode.DEGRADED), (3.0, Mode.FALLBACK)])
def test_a_soft_fault_that_lasts_keeps_a_stop(held_s, mode):
    """Leaving it would mean to stop again at once."""
    stopping = SafetyState(mode=Mode.FALLBACK, valid_plans=9, soft_since_ns=STEP)
    drive.now = round(held_s * SECOND)
    state = drive(stopping, Code.CAM_RATE_WARN, auto_rearm=True)
    assert state.mode is mode and state.soft_since_ns == STEP


def test_a_stop_ends_with_a_plan_to_follow():
    """A call of the timer has none, whatever came before."""
    stopping = drive(SafetyState(mode=Mode.FALLBACK, valid_plans=9), valid=None, auto_rearm=True)
    assert (stopping.mode, stopping.reason) == (Mode.FALLBACK, 'configured')
    assert drive(stopping, auto_rearm=True).mode is Mode.ACTIVE


def test_a_new_stop_counts_plans_anew_and_needs_its_own_permission():
    state = replace(FULL, mode=Mode.ACTIVE)
    state = advance(state, Events((Fault(Code.ODOM_GAP),), True, 8.0), LIMITS, 20)
    assert state.mode is Mode.FALLBACK and state.since_ns == 20
    assert state.valid_plans == 0 and state.rearm_required and not state.awaits_rearm
    assert not rearm(state).rearm_required and rearm(state).rearmed
    driving = active()
    assert rearm(driving) == driving and not driving.rearm_required


def test_staying_in_a_mode_keeps_its_beginning():
    begun = active()
    state = advance(begun, Events((), True, 8.0), LIMITS, 99 * SECOND)
    assert state.since_ns == begun.since_ns and state.reason == begun.reason


@pytest.mark.parametrize('mode', [Mode.ACTIVE, Mode.DEGRADED])
def test_who_disarms_forgets_the_plan(mode):
    state = disarm(replace(FULL, mode=mode), 20)
    assert (state.mode, state.since_ns, state.reason) == (Mode.READY, 20, 'disarmed')
    assert state.previous_plan is None and state.proposed_ns is None
    assert state.clear_since_ns == 2 and state.newest_t0_ns == 4


def test_who_disarms_a_stop_waits_for_good_inputs():
    state = disarm(FULL, 20, 'the driver')
    assert (state.mode, state.reason, state.clear_since_ns) == (Mode.INIT, 'the driver', None)
    assert state.stop is None and state.previous_plan is None


@pytest.mark.parametrize('mode', [Mode.INIT, Mode.READY, Mode.FAULT])
def test_disarming_is_worth_nothing_where_nothing_is_driven(mode):
    state = replace(FULL, mode=mode)
    assert disarm(state, 20) == state


def test_arming_begins_a_mode():
    state = arm(SafetyState(mode=Mode.READY), 20)
    assert (state.mode, state.since_ns, state.reason) == (Mode.ACTIVE, 20, 'armed')
