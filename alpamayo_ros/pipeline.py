"""The data path, from pictures to the one plan that may be driven.

    plan = decide(propose(pictures, past motion, instruction), scene, state)

Both functions are pure: no clock, no file, no ROS.  The planner node calls the first, the
trajectory node the second; replay, simulation and tests call the same two.
"""

from __future__ import annotations

from alpamayo_ros.motion.cost import cost, spread
from alpamayo_ros.motion.rollout import roll_out
from alpamayo_ros.motion.select import select
from alpamayo_ros.motion.validate import validate
from alpamayo_ros.noise import noise
from alpamayo_ros.runtime.base import Runtime
from alpamayo_ros.runtime.text import bounded_text, bounded_tokens
from alpamayo_ros.safety import acceptance, monitors, words
from alpamayo_ros.safety.acceptance import Judgement
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.decision import Decision, conclude
from alpamayo_ros.safety.scene import Scene
from alpamayo_ros.safety.state import SafetyState
from alpamayo_ros.types import PlannerInput, Proposal

__all__ = [
    'Decision',
    'PlanConfig',
    'SafetyState',
    'Scene',
    'decide',
    'noise',
    'propose',
]


def propose(inputs: PlannerInput, runtime: Runtime) -> Proposal:
    """Candidates and chain of causation for one synchronised set of pictures."""
    profile = runtime.profile
    features = runtime.encode(inputs.frames)
    reasoning = runtime.reason(features, inputs.given)
    start = noise(inputs.seed, inputs.t0_ns, profile.candidates, profile.trajectory.points)
    candidates = runtime.denoise(reasoning.condition, start)
    text, cut = bounded_text(reasoning.text)
    token_ids, cut_ids = bounded_tokens(reasoning.token_ids)
    truncated = reasoning.truncated or cut or cut_ids
    said = (text, token_ids, truncated)
    asked = inputs.given.navigation
    text_t0_ns = inputs.given.previous_t0_ns if reasoning.kept else inputs.t0_ns
    return Proposal(inputs.t0_ns, candidates, *said, text_t0_ns=text_t0_ns, navigation=asked)


def decide(
    proposal: Proposal | None,
    scene: Scene,
    state: SafetyState,
    config: PlanConfig,
    now_ns: int,
) -> Decision:
    """The one plan that may leave, if any, with the reasons: feasible, checked, chosen, gated.

    Called with every proposal, and without one by a timer: then a stop goes on, or a plan that
    runs out without a successor is noticed.  The new state is in the decision.
    """
    faults = monitors.watch(scene, state, config, now_ns, proposal is not None)
    cap = config.speed_cap(state, faults)
    judgement = judge(proposal, scene, state, config, cap, now_ns) if proposal else None
    return conclude(judgement, faults, scene, state, config, cap, now_ns)


def judge(
    proposal: Proposal,
    scene: Scene,
    state: SafetyState,
    config: PlanConfig,
    speed_cap_mps: float,
    now_ns: int,
) -> Judgement:
    """Which candidate of a proposal would be driven, and all that speaks for and against."""
    ego, previous, limits = scene.ego, state.previous_plan, config.limits
    refusal = acceptance.refuse(proposal, ego, previous, config, now_ns)
    if refusal is not None:
        return Judgement(proposal, (refusal,))
    assert ego is not None  # ``refuse`` saw to it
    raw, dt_s = proposal.candidates, config.profile.trajectory.dt_s
    feasible = roll_out(raw, ego, config.vehicle, limits, speed_cap_mps, dt_s)
    checks = validate(raw, feasible, ego, previous, limits, speed_cap_mps, dt_s)
    against = (previous, scene.objects, config.vehicle, limits, config.weights)
    costs = cost(feasible, ego, *against, proposal.navigation)
    chosen = select(costs.total, checks.ok, feasible.poses)
    apart = spread(acceptance.finite_only(raw))
    faults = acceptance.faults(raw, checks, costs, chosen, apart, limits)
    faults += words.disagreements(proposal.text, feasible, chosen, ego, config)
    return Judgement(proposal, tuple(faults), feasible, checks, costs, chosen, apart)
