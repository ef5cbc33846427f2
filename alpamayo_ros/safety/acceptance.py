"""Whether a proposal may be judged at all, and what its judgement says in faults."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits
from alpamayo_ros.motion.cost import Costs
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.motion.rollout import Rollout
from alpamayo_ros.motion.validate import Checks
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.monitors import finite
from alpamayo_ros.types import EgoState, Proposal


@dataclass(frozen=True, slots=True)
class Judgement:
    """A proposal with everything found about it; ``chosen`` is None when nothing may be driven.

    ``feasible``, ``checks`` and ``costs`` are None when it was refused before being rolled out.
    """

    proposal: Proposal
    faults: tuple[Fault, ...]
    feasible: Rollout | None = None
    checks: Checks | None = None
    costs: Costs | None = None
    chosen: int | None = None
    spread_m: float = float('nan')

    @property
    def valid(self) -> bool:
        """Whether a candidate may be driven."""
        fatal = any(f.code in (Code.SPREAD, Code.PLAN_STAMP) for f in self.faults)
        return self.chosen is not None and not fatal


def refuse(
    proposal: Proposal,
    ego: EgoState | None,
    previous: Plan | None,
    config: PlanConfig,
    now_ns: int,
) -> Fault | None:
    """Why a proposal is not worth judging: shape, age, order, or no ego to anchor it at."""
    limits, profile = config.limits, config.profile
    expected = (profile.trajectory.points, 3)
    shape = proposal.candidates.shape
    age = (now_ns - proposal.t0_ns) * 1e-9
    if shape[1:] != expected or shape[0] == 0:
        return Fault(Code.PLAN_SHAPE, f'expected (K, {expected[0]}, 3), got {shape}.')
    if not age < limits.plan_age_s:
        return Fault(Code.PLAN_STALE, values={'age_s': age, 'limit_s': limits.plan_age_s})
    if not -age <= limits.stamp_future_s:
        return Fault(Code.PLAN_FUTURE, values={'ahead_s': -age, 'limit_s': limits.stamp_future_s})
    if ego is None or not finite(ego):
        return Fault(Code.ODOM_GAP, 'there is no pose at t0 to anchor the plan at.')
    if ego.stamp_ns != proposal.t0_ns:
        apart = (ego.stamp_ns - proposal.t0_ns) * 1e-9
        return Fault(Code.INTERNAL, 'the pose is not that of t0.', {'apart_s': apart})
    if previous is not None and previous.source == 'model' and proposal.t0_ns <= previous.t0_ns:
        return Fault(
            Code.PLAN_STAMP, values={'behind_s': (previous.t0_ns - proposal.t0_ns) * 1e-9}
        )
    return None


def finite_only(raw: Float[np.ndarray, 'K P 3']) -> Float[np.ndarray, 'N P 3']:
    """The candidates that are finite throughout."""
    return np.asarray(raw[np.isfinite(raw).all(axis=(1, 2))])


def faults(
    raw: Float[np.ndarray, 'K P 3'],
    checks: Checks,
    costs: Costs,
    chosen: int | None,
    spread_m: float,
    limits: Limits,
) -> list[Fault]:
    """What the judgement has to say: dropped, rejected, warned, unsure, about to hit something."""
    found = []
    dropped = len(raw) - len(finite_only(raw))
    if dropped:
        found.append(Fault(Code.MODEL_NONFINITE, values={'candidates': float(dropped)}))
    if chosen is None:
        return [*found, _rejection(checks)]
    found += _spread(spread_m, limits)
    warned = [c for c in checks.of(chosen) if c.warned]
    if warned:
        values: dict[str, float | str] = {c.name: c.value for c in warned}
        words = ', '.join(f'{c.name} {c.value:.3g} (warning at {c.warn:.3g})' for c in warned)
        found.append(Fault(Code.PLAN_WARN, f'{words}.', values))
    if costs.collision is not None and not costs.collision[chosen] < 0.5:
        found.append(
            Fault(Code.COLLISION_WARN, values={'probability': float(costs.collision[chosen])})
        )
    return found


def _rejection(checks: Checks) -> Fault:
    """PLAN_JUMP when only the jump stands in the way of a candidate, else PLAN_REJECTED."""
    failed = ~(checks.values <= checks.limits)
    counts = checks.rejections()
    words = []
    for name, count in counts.items():
        column = checks.names.index(name)
        best = float(checks.values[:, column].min())
        words.append(
            f'{name} rejects {count} (least {best:.3g}, limit {checks.limits[column]:.3g})'
        )
    jumps = np.array([name == 'jump_lateral_m' for name in checks.names])
    only_jump = bool((failed[:, jumps].any(axis=1) & ~failed[:, ~jumps].any(axis=1)).any())
    code = Code.PLAN_JUMP if only_jump else Code.PLAN_REJECTED
    return Fault(code, '; '.join(words) + '.', {name: float(n) for name, n in counts.items()})


def _spread(spread_m: float, limits: Limits) -> list[Fault]:
    if not spread_m <= limits.spread_m:
        return [Fault(Code.SPREAD, values={'spread_m': spread_m, 'limit_m': limits.spread_m})]
    if not spread_m <= limits.spread_warn_m:
        values: dict[str, float | str] = {'spread_m': spread_m, 'limit_m': limits.spread_warn_m}
        return [Fault(Code.SPREAD_WARN, values=values)]
    return []
