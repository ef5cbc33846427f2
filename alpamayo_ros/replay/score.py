"""Figures of each t0 against what was driven: the model's plan and, beside it, the baseline.

A cycle is scored when the recording has gone on for a whole horizon after it, or has ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from alpamayo_ros import metrics
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.profile import TrajectoryFormat
from alpamayo_ros.replay.baseline import constant_turn
from alpamayo_ros.replay.cycle import Cycle
from alpamayo_ros.replay.driven_after import FAR_NS, Surroundings
from alpamayo_ros.replay.motion import TRUTH_GAP_NS, Track
from alpamayo_ros.sensing.rig import Vehicle
from alpamayo_ros.types import EgoState
from alpamayo_ros.units import NS

Values = dict[str, float | None]
SPREAD_S = 3.0


@dataclass(frozen=True, slots=True)
class Scored:
    """One t0: figures by name, None where not evaluable; ``model`` None: it planned nothing."""

    t0_ns: int
    model: Values | None
    baseline: Values | None


@dataclass(slots=True)
class Scorer:
    """Takes cycles in order, gives them back scored, in order, once their future is known.

    ``references``: texts of the recording by t0, to compare the model's words with.
    """

    form: TrajectoryFormat
    vehicle: Vehicle
    track: Track = field(default_factory=Track)
    around: Surroundings = field(default_factory=Surroundings)
    references: dict[int, str] = field(default_factory=dict)
    _waiting: deque[Cycle] = field(default_factory=deque)
    _last: tuple[int, Plan] | None = None

    def put(self, cycle: Cycle) -> None:
        """A cycle to be scored later."""
        self._waiting.append(cycle)

    def ready(self, over: bool = False) -> Iterator[Scored]:
        """What can be scored now; ``over``: nothing more comes."""
        horizon_ns = round(self.form.points * self.form.dt_s * NS) + TRUTH_GAP_NS + FAR_NS
        while self._waiting:
            cycle = self._waiting[0]
            if not over and self.track.newest_ns < cycle.t0_ns + horizon_ns:
                break
            self._waiting.popleft()
            yield self._score(cycle)
            self.track.forget_before(cycle.t0_ns - NS)
            self.around.forget_before(cycle.t0_ns - NS)

    def _score(self, cycle: Cycle) -> Scored:
        if cycle.ego is None:
            return Scored(cycle.t0_ns, None, None)
        driven, valid = self.track.after(cycle.ego, self.form.points, self.form.dt_s)
        step_ns = round(self.form.dt_s * NS)
        times = [cycle.t0_ns + (i + 1) * step_ns for i in range(self.form.points)]
        boxes = self.around.at_times(cycle.ego, times)
        simple = constant_turn(
            cycle.ego.speed_mps, cycle.ego.yaw_rate_rps, self.form.points, self.form.dt_s
        )
        baseline = self._against(simple, None, driven, valid)
        speed_mps = np.full(self.form.points, cycle.ego.speed_mps)
        baseline |= self._touching(simple, speed_mps, boxes)
        return Scored(cycle.t0_ns, self._model(cycle, driven, valid, boxes), baseline)

    def _model(
        self,
        cycle: Cycle,
        driven: Float[np.ndarray, 'P 5'],
        valid: Bool[np.ndarray, ' P'],
        boxes: list[Float[np.ndarray, '_ 6'] | None] | None,
    ) -> Values | None:
        """Figures of the candidates and of the plan that came of them."""
        proposal, decision = cycle.proposal, cycle.decision
        if proposal is None or decision is None or cycle.ego is None:
            return None
        plan = decision.plan if decision.plan and decision.plan.source == 'model' else None
        path = None if plan is None else poses_of(plan)
        candidates = proposal.candidates.astype(np.float64)
        out = self._against(path, candidates, driven, valid)
        out |= self._spread(candidates, driven, valid)
        reference = self.references.pop(cycle.t0_ns, None)
        if reference is not None:
            out['coc_rouge_l'] = metrics.rouge_l(proposal.text, reference)
        if plan is None or path is None:
            return out
        out |= self._touching(path, np.asarray(plan.trajectory.speed_mps, np.float64), boxes)
        out['agreement'] = metrics.agreement(
            proposal.text, path, cycle.ego.speed_mps, self.form.dt_s
        )
        out |= self._manner(plan) | self._consistency(cycle.t0_ns, plan, path)
        return out

    def _against(
        self,
        path: Float[np.ndarray, 'P 3'] | None,
        candidates: Float[np.ndarray, 'K P 3'] | None,
        driven: Float[np.ndarray, 'P 5'],
        valid: Bool[np.ndarray, ' P'],
    ) -> Values:
        out = metrics.cycle_displacement(path, candidates, driven, self.form.dt_s, valid)
        return out | metrics.heading_errors(path, driven, valid)

    def _spread(
        self,
        candidates: Float[np.ndarray, 'K P 3'],
        driven: Float[np.ndarray, 'P 5'],
        valid: Bool[np.ndarray, ' P'],
    ) -> Values:
        given = (candidates, driven, SPREAD_S, self.form.dt_s, valid)
        return {
            'energy_score_at_3s': metrics.energy_score_at_t(*given),
            'spread_level_at_3s': metrics.spread_level_at_t(*given),
        }

    def _touching(
        self,
        path: Float[np.ndarray, 'P 3'],
        speed_mps: Float[np.ndarray, ' P'],
        boxes: list[Float[np.ndarray, '_ 6'] | None] | None,
    ) -> Values:
        v = self.vehicle
        size = (v.rear_axle_to_front_bumper_m - v.length_m / 2, v.length_m, v.width_m)
        known = (
            0 if boxes is None else next((i for i, b in enumerate(boxes) if b is None), len(boxes))
        )
        near = [b[:, :5] for b in (boxes or [])[:known] if b is not None]
        touched = metrics.collision_at_times(path[:known], size, near)
        out: Values = {
            'ttc_within_bound': metrics.ttc_within_bound(
                path, speed_mps, size, boxes, self.form.dt_s
            )
        }
        for t_s in metrics.HORIZONS_S:
            points = round(t_s / self.form.dt_s)
            seen = touched is not None and 0 < points <= known
            value = float(touched[:points].any()) if seen and touched is not None else None
            out[f'collision_up_to_{t_s:.0f}s'] = value
        return out

    def _manner(self, plan: Plan) -> Values:
        t = plan.trajectory
        found = metrics.nuplan_comfort(
            np.append(plan.anchor.speed_mps, t.speed_mps),
            np.append(plan.anchor.acceleration_mps2, t.acceleration_mps2),
            np.append(plan.anchor.yaw_rate_rps, t.yaw_rate_rps),
            t.dt_s,
        )
        jerk = metrics.lateral_jerk_max(
            np.append(plan.anchor.speed_mps, t.speed_mps),
            np.append(plan.anchor.yaw_rate_rps, t.yaw_rate_rps),
            t.dt_s,
        )
        comfortable = None if found is None else float(found.comfortable)
        return {'comfortable_plan': comfortable, 'lateral_jerk_max': jerk}

    def _consistency(self, t0_ns: int, plan: Plan, path: Float[np.ndarray, 'P 3']) -> Values:
        before, self._last = self._last, (t0_ns, plan)
        if before is None:
            return {'plan_to_plan_mean': None, 'plan_to_plan_max': None}
        found = metrics.plan_to_plan(
            poses_of(before[1]), pose(before[1].anchor), path, pose(plan.anchor),
            (t0_ns - before[0]) / NS, plan.trajectory.dt_s,
        )  # fmt: skip
        mean, most = (None, None) if found is None else (found.mean_m, found.max_m)
        return {'plan_to_plan_mean': mean, 'plan_to_plan_max': most}


def poses_of(plan: Plan) -> Float[np.ndarray, 'P 3']:
    """x, y, heading of a plan in base_link at its t0."""
    t = plan.trajectory
    return np.stack([t.x_m, t.y_m, t.heading_rad], axis=-1).astype(np.float64)


def pose(state: EgoState) -> Float[np.ndarray, ' 3']:
    """Pose of base_link in odom."""
    return np.array([state.x_m, state.y_m, state.heading_rad])
