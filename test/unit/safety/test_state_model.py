"""The state machine, exhaustively: every reachable state, every kind of fault, every event."""

from collections import deque
from dataclasses import dataclass
from itertools import product

import pytest
from drives import LIMITS, SECOND

from alpamayo_ros.faults import SOFT_SENSING, Code, Fault, Reaction
from alpamayo_ros.safety.state import (
    ABOUT_PLANS,
    DRIVING,
    Events,
    Mode,
    SafetyState,
    advance,
    arm,
    disarm,
    rearm,
)

NOW = 1000 * SECOND
STEP = SECOND // 2  # between two calls; every waiting time of the limits is a multiple of it
INIT, READY, ACTIVE = Mode.INIT, Mode.READY, Mode.ACTIVE
DEGRADED, FALLBACK, FAULT = Mode.DEGRADED, Mode.FALLBACK, Mode.FAULT
CALLS = {  # docs/faults.md, "States": where a call may lead while a person arms
    INIT: {INIT, READY, FAULT},
    READY: {READY, INIT, FAULT},
    ACTIVE: {ACTIVE, DEGRADED, FALLBACK, FAULT, READY, INIT},
    DEGRADED: {DEGRADED, ACTIVE, FALLBACK, FAULT, READY, INIT},
    FALLBACK: {FALLBACK, ACTIVE, DEGRADED, FAULT, INIT},
    FAULT: {FAULT},
}
KINDS = {  # one code of every kind that the machine tells apart
    'none': (),
    'note': (Code.SKEW_WARN,),
    'refuse': (Code.STAMP_LATE,),
    'soft mask': (Code.CAM_LOST,),
    'soft degrade': (Code.ODOM_GAP_WARN,),
    'degrade': (Code.MODEL_ERROR,),
    'plan warning': (Code.PLAN_WARN,),
    'fallback': (Code.ODOM_GAP,),
    'fault': (Code.CALIBRATION_CHANGED,),
    'takeover': (Code.TAKEOVER,),
    'clock back': (Code.CLOCK_BACK,),
    'takeover beside a stop': (Code.TAKEOVER, Code.ODOM_GAP),
    'takeover beside a warning': (Code.TAKEOVER, Code.CAM_LOST),
    'clock back beside a fault': (Code.CLOCK_BACK, Code.CALIBRATION_CHANGED),
    'clock back beside a takeover': (Code.CLOCK_BACK, Code.TAKEOVER),
}
SPEEDS = (0.0, 2 * LIMITS.rearm_speed_mps)
HAPPENINGS = tuple(product(KINDS, (None, True, False), SPEEDS))


@dataclass(frozen=True)
class Key:
    """What the future depends on; times since, in steps, no longer than the limits tell apart."""

    mode: Mode
    rearmed: bool
    valid_plans: int
    clear: int | None
    soft: int | None


def steps(since_ns: int | None, now_ns: int, longest_s: float) -> int | None:
    longest = round(longest_s * SECOND / STEP)
    return None if since_ns is None else min((now_ns - since_ns) // STEP, longest)


def key(state: SafetyState, now_ns: int) -> Key:
    clear = steps(state.clear_since_ns, now_ns, max(LIMITS.clear_s, LIMITS.init_valid_s))
    soft = steps(state.soft_since_ns, now_ns, LIMITS.soft_degraded_s)
    plans = min(state.valid_plans, LIMITS.rearm_plans)
    return Key(state.mode, state.rearmed, plans, clear, soft)


def state_of(k: Key) -> SafetyState:
    """A state with this key at NOW."""
    since = lambda n: None if n is None else NOW - n * STEP  # noqa: E731
    return SafetyState(
        mode=k.mode, rearmed=k.rearmed, valid_plans=k.valid_plans, reason='made',
        clear_since_ns=since(k.clear), soft_since_ns=since(k.soft), since_ns=NOW,
    )  # fmt: skip


def call(k: Key, codes: tuple[Code, ...], valid: bool | None, speed: float, auto: bool) -> Key:
    now = NOW + STEP
    events = Events(tuple(Fault(c) for c in codes), valid, speed)
    return key(advance(state_of(k), events, LIMITS, now, auto, auto), now)


def explore(auto: bool) -> dict[Key, dict[tuple[str, bool | None, float], Key]]:
    """Every reachable key and where each happening leads; a person acts between calls."""
    begin = key(SafetyState(), NOW)
    found: dict[Key, dict[tuple[str, bool | None, float], Key]] = {}
    waiting = deque([begin])
    while waiting:
        k = waiting.popleft()
        if k in found:
            continue
        found[k] = {h: call(k, KINDS[h[0]], h[1], h[2], auto) for h in HAPPENINGS}
        state = state_of(k)
        acted = (arm(state, NOW), disarm(state, NOW), rearm(state))
        waiting += [*found[k].values(), *(key(s, NOW) for s in acted)]
    return found


@pytest.fixture(scope='module', params=[False, True], ids=['a person', 'by itself'])
def model(request):
    return request.param, explore(request.param)


def test_calls_lead_where_the_table_says_and_everywhere_it_says(model):
    auto, found = model
    allowed = {**CALLS, READY: CALLS[READY] | {ACTIVE, DEGRADED}} if auto else CALLS
    reached = {
        mode: {to.mode for k in found if k.mode is mode for to in found[k].values()}
        for mode in Mode
    }
    assert reached == allowed
    assert len(found) > 50


def test_nothing_leads_out_of_fault(model):
    _, found = model
    for k in found:
        state = state_of(k)
        if k.mode is FAULT:
            assert {to.mode for to in found[k].values()} == {FAULT}
            assert {arm(state, NOW).mode, disarm(state, NOW).mode, rearm(state).mode} == {FAULT}


def test_nothing_is_driven_or_stopped_while_the_driver_has_taken_over(model):
    _, found = model
    for k in found:
        for (kind, _, _), to in found[k].items():
            if Code.TAKEOVER in KINDS[kind]:
                assert to.mode in (INIT, READY, FAULT), (k, kind, to)


def test_driving_begins_by_arming_or_out_of_a_stop(model):
    auto, found = model
    for k in found:
        for (_, valid, speed), to in found[k].items():
            if to.mode in DRIVING and k.mode not in DRIVING:
                if k.mode is FALLBACK:  # inputs, plans in a row, and above walking pace a person
                    assert valid and to.mode in DRIVING
                    assert auto or speed <= LIMITS.rearm_speed_mps or k.rearmed
                    assert k.valid_plans + 1 >= LIMITS.rearm_plans
                else:
                    assert auto and k.mode is READY


def test_the_worst_fault_decides(model):
    _, found = model
    for k in found:
        for (kind, _, _), to in found[k].items():
            worst = max((c.reaction for c in KINDS[kind]), default=Reaction.NOTE)
            if worst is Reaction.FAULT:
                assert to.mode is FAULT
            elif worst is Reaction.FALLBACK:
                assert to.mode not in (*DRIVING, READY), (k, kind, to)
            elif worst >= Reaction.MASK:
                warned = kind == 'plan warning' and k.mode is READY  # of a plan nobody drives
                assert to.mode is not ACTIVE or warned, (k, kind, to)


def kind_of(code: Code) -> str:
    """The kind whose code stands for ``code``."""
    if code in (Code.TAKEOVER, Code.CLOCK_BACK):
        return code.name.lower().replace('_', ' ')
    if code in ABOUT_PLANS and code.reaction > Reaction.NOTE:
        return 'plan warning'
    name = code.reaction.name.lower()
    if code in SOFT_SENSING:
        return 'soft mask' if code.reaction is Reaction.MASK else 'soft degrade'
    return name


@pytest.mark.parametrize('code', list(Code), ids=lambda code: code.name)
def test_every_code_acts_as_its_kind(model, code):
    """So that what holds of the kinds holds of all codes."""
    _, found = model
    kind = kind_of(code)
    keys = list(found)[:: max(1, len(found) // 40)]
    for k in keys:
        for valid, speed in ((True, SPEEDS[1]), (None, 0.0)):
            assert call(k, (code,), valid, speed, model[0]) == found[k][kind, valid, speed], k
