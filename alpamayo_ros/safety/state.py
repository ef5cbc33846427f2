"""The state machine: INIT, READY, ACTIVE, DEGRADED, FALLBACK, FAULT (docs/faults.md, "States").

Pure: ``advance`` maps a state, the faults that hold and the judgement of a proposal to the next
state.  The worst fault decides.  FAULT is final; only ``reset`` (an operator's reconfiguration)
leaves it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import IntEnum

from alpamayo_ros.causes import chains
from alpamayo_ros.faults import SOFT_SENSING, Code, Fault, Reaction, worst
from alpamayo_ros.limits import Limits
from alpamayo_ros.motion.fallback import Stop
from alpamayo_ros.motion.plan import Plan


class Mode(IntEnum):
    """States; the values are those of Health.msg and PlannedTrajectory.msg."""

    INIT = 0
    READY = 1
    ACTIVE = 2
    DEGRADED = 3
    FALLBACK = 4
    FAULT = 5


DRIVING = (Mode.ACTIVE, Mode.DEGRADED)
ABOUT_PLANS = frozenset(  # not about inputs
    {Code.PLAN_WARN, Code.SPREAD_WARN, Code.COLLISION_WARN, Code.COC_DISAGREES}
)
AWAITS_REARM = 'waiting to be re-armed'


@dataclass(frozen=True, slots=True)
class SafetyState:
    """All that ``decide`` remembers from call to call.

    ``previous_plan``: the last plan that left, of any source.  ``stop``: the stop being driven in
    FALLBACK.  ``clear_since_ns``: since when no fault has asked for more than a note; None while
    one does.  ``soft_since_ns``: since when a soft sensing fault has held.  ``valid_plans``: valid
    proposals in a row.  ``rearmed``: a person has re-armed during this FALLBACK.
    ``awaits_rearm``: nothing else is missing to leave it.
    ``published_ns``, ``proposed_ns``: when a plan last left and a proposal last came.
    ``newest_t0_ns``: the t0 of the newest plan that ever left; ``decided_ns``: the last call.
    """

    mode: Mode = Mode.INIT
    since_ns: int = 0
    sequence: int = 0
    plan_id: int = 0
    previous_plan: Plan | None = None
    stop: Stop | None = None
    clear_since_ns: int | None = None
    soft_since_ns: int | None = None
    valid_plans: int = 0
    rearmed: bool = False
    awaits_rearm: bool = False
    published_ns: int | None = None
    proposed_ns: int | None = None
    newest_t0_ns: int | None = None
    decided_ns: int | None = None
    reason: str = 'configured'

    @property
    def rearm_required(self) -> bool:
        """Whether FALLBACK waits for ``rearm``."""
        return self.mode is Mode.FALLBACK and not self.rearmed


@dataclass(frozen=True, slots=True)
class Events:
    """What happened in one call: the faults that hold, the judgement of the proposal, the speed.

    ``valid``: a proposal came and a candidate of it may be driven; None when none came.
    """

    faults: tuple[Fault, ...]
    valid: bool | None
    speed_mps: float


def advance(
    state: SafetyState,
    events: Events,
    limits: Limits,
    now_ns: int,
    auto_arm: bool = False,
    auto_rearm: bool = False,
) -> SafetyState:
    """The next state.  ``auto_arm``, ``auto_rearm`` stand in for a person, in simulation only."""
    if state.mode is Mode.FAULT:
        return state
    if state.mode in (Mode.INIT, Mode.READY):  # nothing is driven: only inputs count
        events = replace(
            events, faults=tuple(f for f in events.faults if f.code not in ABOUT_PLANS)
        )
    if any(f.code is Code.TAKEOVER for f in events.faults):
        state, auto_arm = disarm(state, now_ns, 'the driver has taken over'), False
    if any(f.code is Code.CLOCK_BACK for f in events.faults) and worst_of(events) < Reaction.FAULT:
        return restart(state, now_ns)
    state = _timers(state, events, now_ns)
    mode, reason = _next(state, events, limits, now_ns, auto_arm, auto_rearm)
    if mode is state.mode:
        return replace(state, awaits_rearm=reason == AWAITS_REARM)
    return _enter(state, mode, reason, now_ns)


def restart(state: SafetyState, now_ns: int) -> SafetyState:
    """INIT with empty memory, after a clock jump; only the counters go on."""
    return SafetyState(
        since_ns=now_ns,
        sequence=state.sequence,
        plan_id=state.plan_id,
        reason='the clock jumped back',
    )


def reset(state: SafetyState, now_ns: int) -> SafetyState:
    """INIT, by an operator who reconfigured; the only way out of FAULT."""
    return replace(restart(state, now_ns), reason='reconfigured')


def arm(state: SafetyState, now_ns: int) -> SafetyState:
    """READY -> ACTIVE, by a person; worth nothing in other states, and not remembered."""
    return _enter(state, Mode.ACTIVE, 'armed', now_ns) if state.mode is Mode.READY else state


def disarm(state: SafetyState, now_ns: int, reason: str = 'disarmed') -> SafetyState:
    """Back to READY by a person or because the driver took over; nothing is published any more.

    The plan being driven is forgotten: whoever arms later is somewhere else.  FALLBACK goes to
    INIT, so that arming does not get round the wait for good inputs.
    """
    if state.mode not in (Mode.ACTIVE, Mode.DEGRADED, Mode.FALLBACK):
        return state
    forgotten = replace(state, previous_plan=None, proposed_ns=None)
    if state.mode is Mode.FALLBACK:
        return _enter(replace(forgotten, clear_since_ns=None), Mode.INIT, reason, now_ns)
    return _enter(forgotten, Mode.READY, reason, now_ns)


def rearm(state: SafetyState) -> SafetyState:
    """Permission to leave FALLBACK above ``rearm_speed_mps``; worth nothing in other states."""
    return replace(state, rearmed=True) if state.mode is Mode.FALLBACK else state


def worst_of(events: Events) -> Reaction:
    """The worst reaction that the faults ask for."""
    return worst(list(events.faults))


def _timers(state: SafetyState, events: Events, now_ns: int) -> SafetyState:
    """Since when inputs are clear, since when a soft fault holds, valid plans in a row."""
    clear = worst_of(events) <= Reaction.NOTE
    soft = any(f.code in SOFT_SENSING for f in events.faults)
    since_clear = state.clear_since_ns if state.clear_since_ns is not None else now_ns
    since_soft = state.soft_since_ns if state.soft_since_ns is not None else now_ns
    valid_plans = state.valid_plans
    if events.valid is not None:
        valid_plans = valid_plans + 1 if events.valid else 0
    elif worst_of(events) >= Reaction.FALLBACK:
        valid_plans = 0
    return replace(
        state,
        clear_since_ns=since_clear if clear else None,
        soft_since_ns=since_soft if soft else None,
        valid_plans=valid_plans,
    )


def _next(
    state: SafetyState,
    events: Events,
    limits: Limits,
    now_ns: int,
    auto_arm: bool,
    auto_rearm: bool,
) -> tuple[Mode, str]:
    """The mode that follows and why; rows of the table in docs/faults.md, "States"."""
    reaction, because = worst_of(events), _because(events)
    soft_for, clear_for = (
        -math.inf if since is None else float(now_ns - since)
        for since in (state.soft_since_ns, state.clear_since_ns)
    )
    if reaction is Reaction.FAULT:
        return Mode.FAULT, because
    if state.mode is Mode.INIT:
        ready = clear_for >= limits.init_valid_s * 1e9
        return (Mode.READY, 'all inputs valid') if ready else (Mode.INIT, because)
    if state.mode is Mode.READY:
        if reaction >= Reaction.FALLBACK:
            return Mode.INIT, because
        if not auto_arm:
            return Mode.READY, because
        return (Mode.DEGRADED if reaction >= Reaction.MASK else Mode.ACTIVE), 'armed'
    if state.mode is Mode.FALLBACK:
        return _out_of_fallback(state, events, limits, soft_for, auto_rearm)
    if reaction is Reaction.FALLBACK:
        return Mode.FALLBACK, because
    if soft_for >= limits.soft_degraded_s * 1e9:
        return Mode.FALLBACK, f'{because} for {soft_for * 1e-9:.1f} s'
    if reaction >= Reaction.MASK:
        return Mode.DEGRADED, because
    if state.mode is Mode.DEGRADED and clear_for < limits.clear_s * 1e9:
        return Mode.DEGRADED, 'not clear for long enough'
    return Mode.ACTIVE, 'clear'


def _out_of_fallback(
    state: SafetyState, events: Events, limits: Limits, soft_for: float, auto_rearm: bool
) -> tuple[Mode, str]:
    """FALLBACK ends with good inputs, valid plans in a row and, at speed, a person's word."""
    reaction = worst_of(events)
    if reaction >= Reaction.FALLBACK or soft_for >= limits.soft_degraded_s * 1e9:
        return Mode.FALLBACK, _because(events)
    if state.valid_plans < limits.rearm_plans:
        return Mode.FALLBACK, 'waiting for valid plans'
    slow = events.speed_mps <= limits.rearm_speed_mps
    if not (slow or state.rearmed or auto_rearm):
        return Mode.FALLBACK, AWAITS_REARM
    if not events.valid:
        return Mode.FALLBACK, 'waiting for a plan to follow'
    return (Mode.DEGRADED if reaction >= Reaction.MASK else Mode.ACTIVE), 'recovered'


def _because(events: Events) -> str:
    """The cause of the worst in words, with what follows from it; '' without faults."""
    found = chains(events.faults)
    return str(found[0]) if found else ''


def _enter(state: SafetyState, mode: Mode, reason: str, now_ns: int) -> SafetyState:
    """``mode``, entered now; what belonged to the old one is dropped."""
    return replace(
        state,
        mode=mode,
        since_ns=now_ns,
        reason=reason,
        stop=None,
        valid_plans=0 if mode is Mode.FALLBACK else state.valid_plans,
        rearmed=False,
        awaits_rearm=False,
    )
