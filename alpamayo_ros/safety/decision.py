"""From a judgement to the decision: next state, the plan that leaves, and the health beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.motion import fallback
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.safety.acceptance import Judgement
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.gate import gate
from alpamayo_ros.safety.scene import Scene
from alpamayo_ros.safety.state import DRIVING, Events, Mode, SafetyState, advance
from alpamayo_ros.safety.stopping import CheckedStop, choose_stop, known_ego


@dataclass(frozen=True, slots=True)
class Health:
    """How the decision was taken; ``sequence`` grows by one with every decision.

    ``t0_ns`` is the t0 decided about, 0 without a proposal; ``plan_id`` 0 means that none left.
    """

    sequence: int
    stamp_ns: int
    t0_ns: int
    mode: Mode
    previous_mode: Mode
    reason: str
    plan_id: int
    faults: tuple[Fault, ...]
    speed_cap_mps: float
    spread_m: float
    candidates: int
    rejected: dict[str, int]
    plan_age_s: float
    armed: bool
    rearm_required: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What ``decide`` returns.  ``plan`` None: nothing may be published in this call.

    ``plan.source`` is 'model' or 'fallback'; ``judgement`` holds feasible candidates, checks,
    costs and the choice, None when there was no proposal.  ``standstill``: the plan stays at rest.
    """

    plan: Plan | None
    state: SafetyState
    health: Health
    faults: tuple[Fault, ...]
    judgement: Judgement | None
    speed_cap_mps: float
    standstill: bool


def conclude(
    judgement: Judgement | None,
    faults: list[Fault],
    scene: Scene,
    state: SafetyState,
    config: PlanConfig,
    cap_mps: float,
    now_ns: int,
) -> Decision:
    """State machine, then the plan that the new state allows, then the gate."""
    found = [*faults, *(judgement.faults if judgement else ())]
    after = _advance(state, tuple(found), judgement, scene, config, now_ns)
    after, stop = choose_stop(after, judgement, scene, config, now_ns)
    found += stop.faults if stop else ()
    plan = _make(after, judgement, stop, scene, config, cap_mps, tuple(found))
    if plan is not None:
        refusal = gate(plan, state.newest_t0_ns, _checked(plan, judgement), config.limits, now_ns)
        if refusal is not None:
            found.append(refusal)
            plan = None
            if refusal.code is Code.INTERNAL:
                after = _advance(after, (refusal,), judgement, scene, config, now_ns)
    if after.awaits_rearm:
        found.append(Fault(Code.REARM_NEEDED))
    after = _remember(after, plan, judgement, now_ns)
    rests = plan is not None and fallback.at_rest(plan.trajectory, config.limits)
    return _decision(plan, state, after, judgement, tuple(found), cap_mps, now_ns, rests)


def _advance(
    state: SafetyState,
    faults: tuple[Fault, ...],
    judgement: Judgement | None,
    scene: Scene,
    config: PlanConfig,
    now_ns: int,
) -> SafetyState:
    """The next state, with the stop begun, escalated or ended as it asks."""
    valid = None if judgement is None else judgement.valid
    speed = scene.ego_now.speed_mps if scene.ego_now else math.inf  # unknown is not slow
    events = Events(faults, valid, speed)
    after = advance(state, events, config.limits, now_ns, config.auto_arm, config.auto_rearm)
    if after.mode is not Mode.FALLBACK:
        return after
    ego = known_ego(scene, state)
    if after.stop is None and ego is not None:
        begun = fallback.begin(state.previous_plan, ego, now_ns, config.vehicle, config.limits)
        after = replace(after, stop=begun)
    blind = any(f.code in (Code.ODOM_GAP, Code.ODOM_JUMP, Code.ODOM_SPEED) for f in faults)
    if blind and after.stop is not None:
        after = replace(after, stop=fallback.escalate(after.stop, now_ns))
    return after


def _make(
    state: SafetyState,
    judgement: Judgement | None,
    stop: CheckedStop | None,
    scene: Scene,
    config: PlanConfig,
    cap_mps: float,
    faults: tuple[Fault, ...],
) -> Plan | None:
    """The plan of this state: the chosen candidate when driving, the stop in FALLBACK."""
    mask = tuple(sorted({f.code.name for f in faults}))
    until = int(config.limits.plan_age_s * 1e9)
    if state.mode in DRIVING and judgement is not None and judgement.valid:
        assert judgement.feasible is not None and judgement.chosen is not None
        assert scene.ego is not None
        t0, best = judgement.proposal.t0_ns, judgement.feasible.trajectory(judgement.chosen)
        number = state.plan_id + 1
        return Plan(number, t0, scene.ego, best, t0 + until, 'model', cap_mps, mask)
    if stop is None or stop.trajectory is None:
        return None
    t0, path = stop.anchor.stamp_ns, stop.trajectory
    return Plan(state.plan_id + 1, t0, stop.anchor, path, t0 + until, 'fallback', cap_mps, mask)


def _checked(plan: Plan, judgement: Judgement | None) -> bool:
    """Whether the checks of a plan all hold; a stop is only made where they do."""
    if plan.source == 'fallback':
        return True
    if judgement is None or judgement.checks is None or judgement.chosen is None:
        return False
    return bool(judgement.checks.ok[judgement.chosen])


def _remember(
    state: SafetyState, plan: Plan | None, judgement: Judgement | None, now_ns: int
) -> SafetyState:
    """The state with this decision counted and its plan kept."""
    came = now_ns if judgement is not None else state.proposed_ns
    state = replace(state, sequence=state.sequence + 1, proposed_ns=came, decided_ns=now_ns)
    if plan is None:
        return state
    return replace(
        state,
        plan_id=plan.id,
        previous_plan=plan,
        published_ns=now_ns,
        newest_t0_ns=plan.t0_ns,
    )


def _decision(
    plan: Plan | None,
    before: SafetyState,
    after: SafetyState,
    judgement: Judgement | None,
    faults: tuple[Fault, ...],
    cap_mps: float,
    now_ns: int,
    standstill: bool,
) -> Decision:
    """The record of it all."""
    checks = judgement.checks if judgement else None
    health = Health(
        sequence=after.sequence,
        stamp_ns=now_ns,
        t0_ns=judgement.proposal.t0_ns if judgement else 0,
        mode=after.mode,
        previous_mode=before.mode,
        reason=after.reason,
        plan_id=plan.id if plan else 0,
        faults=faults,
        speed_cap_mps=cap_mps,
        spread_m=judgement.spread_m if judgement else float('nan'),
        candidates=len(judgement.proposal.candidates) if judgement else 0,
        rejected=checks.rejections() if checks else {},
        plan_age_s=(now_ns - plan.t0_ns) * 1e-9 if plan else float('nan'),
        armed=after.mode in (*DRIVING, Mode.FALLBACK),
        rearm_required=after.rearm_required,
    )
    return Decision(plan, after, health, faults, judgement, cap_mps, standstill)
