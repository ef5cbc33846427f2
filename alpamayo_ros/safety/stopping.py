"""Which stop leaves in FALLBACK, and where it starts: the gentlest one that passes the checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits
from alpamayo_ros.motion import fallback
from alpamayo_ros.motion.fallback import Stop
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.motion.stop_check import check_stop
from alpamayo_ros.safety.acceptance import Judgement
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.monitors import finite
from alpamayo_ros.safety.scene import Scene
from alpamayo_ros.safety.state import Mode, SafetyState
from alpamayo_ros.types import EgoState, Trajectory

QUIET_S = 0.08  # a timer call makes no new stop plan sooner than this after the last plan


@dataclass(frozen=True, slots=True)
class CheckedStop:
    """The stop that is due: where it starts, what it drives, and what the checks had to say."""

    anchor: EgoState
    trajectory: Trajectory | None
    faults: tuple[Fault, ...] = ()


def choose_stop(
    state: SafetyState,
    judgement: Judgement | None,
    scene: Scene,
    config: PlanConfig,
    now_ns: int,
) -> tuple[SafetyState, CheckedStop | None]:
    """The gentlest stop that passes the checks, and the state that goes on with it.

    Along the last path, along it from the car on, the same braking harder, on the ego's present
    circle, that braking harder; where none passes (the ego's state is absurd) nothing leaves, and
    the fault says so.
    """
    if state.mode is not Mode.FALLBACK or state.stop is None:
        return state, None
    begun = state.stop
    anchor = _anchor(state, begun, judgement, scene, config, now_ns)
    if anchor is None:
        return state, None
    refused: list[str] = []
    for stop in _stops(begun, anchor, config, now_ns):
        form = config.profile.trajectory
        rest = fallback.stop_trajectory(
            stop, anchor, config.vehicle, config.limits, form.points, form.dt_s
        )
        rise_mps = fallback.rise_mps(stop, anchor.stamp_ns, config.limits)
        checks = check_stop(rest, anchor, config.limits, rise_mps)
        if checks.ok[0]:
            faults = (Fault(Code.STOP_PATH, '; '.join(refused)),) if refused else ()
            return replace(state, stop=stop), CheckedStop(anchor, rest, faults)
        refused.append(', '.join(f'{c.name} {c.value:.3g}' for c in checks.of(0) if not c.ok))
    message = f'no stop keeps the limits: {"; ".join(refused)}.'
    return state, CheckedStop(anchor, None, (Fault(Code.STOP_PATH, message),))


def _stops(stop: Stop, ego: EgoState, config: PlanConfig, now_ns: int) -> Iterator[Stop]:
    """Stops in the order in which they are tried."""
    yield stop
    from_here, moved_m = from_the_car(stop, ego)
    if moved_m <= config.limits.start_position_m:  # else it is not known where the path is
        yield from_here
        stop = from_here
    yield fallback.escalate(stop, now_ns)
    here = fallback.on_the_circle(stop, ego, config.vehicle, config.limits)
    yield here
    yield fallback.escalate(here, now_ns)


def from_the_car(stop: Stop, ego: EgoState) -> tuple[Stop, float]:
    """The stop with its path moved as a whole so that it begins at the ego, and how far [m].

    Beside its path the car keeps to the road's bends, and after a small step of odometry, in which
    the car itself did not move, this is the path as it lay before.
    """
    along = fallback.nearest_arc(stop, ego)
    nearest = [float(np.interp(along, stop.arc_m, stop.path[:, axis])) for axis in (0, 1)]
    step = np.array([ego.x_m - nearest[0], ego.y_m - nearest[1], 0.0])
    return replace(stop, path=stop.path + step), float(np.hypot(step[0], step[1]))


def known_ego(scene: Scene, state: SafetyState) -> EgoState | None:
    """The newest finite state of the ego; without one, where the last plan began."""
    if scene.ego_now is not None and finite(scene.ego_now):
        return scene.ego_now
    return state.previous_plan.anchor if state.previous_plan else None


def _anchor(
    state: SafetyState,
    stop: Stop,
    judgement: Judgement | None,
    scene: Scene,
    config: PlanConfig,
    now_ns: int,
) -> EgoState | None:
    """Where a stop plan starts: the pose of t0, else of now; None when none is due.

    With proposals coming in, stops carry their t0, so that the first plan of the model after them
    is newer.  Once valid ones come in, the timer leaves them the word while the last plan holds.
    """
    last = state.previous_plan
    fresh = _fresh(scene.ego, last, config.limits, now_ns)
    if judgement is not None:
        return fresh if fresh and fresh.stamp_ns == judgement.proposal.t0_ns else None
    if last is not None and last.source == 'fallback' and state.published_ns is not None:
        left = (last.valid_until_ns - now_ns) * 1e-9
        quiet = (now_ns - state.published_ns) * 1e-9
        if left > QUIET_S and (state.valid_plans > 0 or quiet < QUIET_S):
            return None
    known = known_ego(scene, state)
    if fresh or known is None:
        return fresh
    return fallback.dead_reckon(stop, known, config.vehicle, config.limits, now_ns)


def _fresh(
    ego: EgoState | None, last: Plan | None, limits: Limits, now_ns: int
) -> EgoState | None:
    """The pose of t0 where a stop may start there: finite, not too old, newer than the plan."""
    if ego is None or not finite(ego):
        return None
    young = (now_ns - ego.stamp_ns) * 1e-9 < limits.frame_age_s
    return ego if young and (last is None or last.t0_ns < ego.stamp_ns) else None
