"""What makes one feasible candidate better than another; a term whose input is missing is named.

    cost = consensus + comfort + navigation + change + collision   (each a number per candidate, K)

*Consensus* is the mean distance to the other candidates: its minimum is the medoid, which drove as
well as anything in our measurements and needs neither objects nor a route.  The weights keep it in
charge unless a collision is likely or the candidates are nearly equal; and, where a turn is asked
for, among those that make it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from alpamayo_ros.limits import Limits
from alpamayo_ros.motion.jump import jump
from alpamayo_ros.motion.obedience import disobedience
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.motion.rollout import Rollout
from alpamayo_ros.sensing.rig import Vehicle
from alpamayo_ros.types import EgoState, TrackedObject


@dataclass(frozen=True, slots=True)
class Weights:
    """Weight of each term: what one unit of it is worth in metres of consensus."""

    consensus: float = 1.0  # per metre of mean distance to the others
    comfort: float = 0.05  # per m/s2 of root-mean-square acceleration
    navigation: float = 3.0  # per turn not made: a quarter of the candidates outweighs the rest
    change: float = 0.3  # per metre of jump from the plan being driven
    collision: float = 100.0  # per unit of probability: nothing else outweighs it
    keep: float = 0.1  # hysteresis: bonus of a candidate that continues the plan being driven
    keep_lateral_m: float = 0.25  # ... which is one that departs less than this across
    keep_forward_m: float = 0.5  # ... and along


@dataclass(frozen=True, slots=True)
class Costs:
    """``total`` (K); ``terms`` by name, summing to it; ``absent`` names the terms not computed."""

    total: Float[np.ndarray, ' K']
    terms: dict[str, Float[np.ndarray, ' K']] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    collision: Float[np.ndarray, ' K'] | None = None  # probability, None without objects


def cost(
    rollout: Rollout,
    ego: EgoState,
    previous: Plan | None,
    objects: Sequence[TrackedObject] | None,
    vehicle: Vehicle,
    limits: Limits,
    weights: Weights,
    navigation: str = '',
) -> Costs:
    """Cost of each of K candidates; ``objects`` None: nobody looks, () : nothing is there.

    ``navigation``: the words that the model was given, '' for none.
    """
    terms = {
        'consensus': weights.consensus * consensus(rollout.poses),
        'comfort': weights.comfort * discomfort(rollout),
    }
    absent = []
    wrong = disobedience(navigation, rollout.poses)
    if wrong is None:
        absent.append('navigation')
    else:
        terms['navigation'] = weights.navigation * wrong
    if previous is None:
        absent.append('change')
    else:
        lateral, forward = jump(rollout, ego, previous, limits)
        keeps = (lateral < weights.keep_lateral_m) & (forward < weights.keep_forward_m)
        terms['change'] = weights.change * (lateral + forward)
        terms['keep'] = np.where(keeps, -weights.keep, 0.0)
    probability = None
    if objects is None:
        absent.append('collision')
    else:
        probability = collision_probability(rollout, objects, vehicle)
        terms['collision'] = weights.collision * probability
    total = np.sum(list(terms.values()), axis=0)
    return Costs(total, terms, tuple(absent), probability)


def consensus(poses: Float[np.ndarray, 'K P 3']) -> Float[np.ndarray, ' K']:
    """Mean distance [m] over time from each candidate to the others; smallest for the medoid."""
    xy = poses[..., :2]
    apart = np.sqrt(((xy[:, None] - xy[None]) ** 2).sum(-1)).mean(-1)
    return np.asarray(np.sort(apart, axis=1).sum(axis=1) / max(len(poses) - 1, 1))


def discomfort(rollout: Rollout) -> Float[np.ndarray, ' K']:
    """Root mean square of longitudinal and lateral acceleration together [m/s2]."""
    pull = rollout.speed_mps**2 * rollout.curvature_1pm
    return np.asarray(np.sqrt((rollout.acceleration_mps2**2 + pull**2).mean(axis=1)))


def spread(raw: Float[np.ndarray, 'K P 3']) -> float:
    """Standard deviation of the end points [m]: the model's uncertainty; NaN when K is 0."""
    if not len(raw):
        return float('nan')
    end = np.sort(raw[:, -1, :2].astype(np.float64), axis=0)
    return float(np.sqrt(end.var(axis=0).sum()))


def collision_probability(
    rollout: Rollout, objects: Sequence[TrackedObject], vehicle: Vehicle
) -> Float[np.ndarray, ' K']:
    """Largest probability over objects and time that two oriented boxes overlap.

    Objects keep speed and heading.  With the gap g (largest separation over the axes of both
    boxes) known to sigma = 0.3 m + 0.3 m/s t, the probability is Phi(-g / sigma), weighted down
    linearly to a half at the end of the horizon, where constant velocity says little.
    """
    k, p = rollout.speed_mps.shape
    if not objects:
        return np.zeros(k)
    index = np.arange(1, p, 3)
    time = (index + 1) * rollout.dt_s
    pose = rollout.poses[:, index]
    ego_middle = vehicle.rear_axle_to_front_bumper_m - vehicle.length_m / 2
    heading = pose[..., 2]
    ego = np.stack(
        [pose[..., 0] + ego_middle * np.cos(heading), pose[..., 1] + ego_middle * np.sin(heading)],
        axis=-1,
    )
    state = np.array(
        [[o.x_m, o.y_m, o.heading_rad, o.speed_mps, o.length_m, o.width_m] for o in objects]
    )
    late = np.array([(rollout.t0_ns - o.stamp_ns) * 1e-9 for o in objects])
    ahead = state[:, 3, None] * (late[:, None] + time)  # (N, T)
    there = np.stack(
        [
            state[:, 0, None] + ahead * np.cos(state[:, 2, None]),
            state[:, 1, None] + ahead * np.sin(state[:, 2, None]),
        ],
        axis=-1,
    )
    sizes = (vehicle.length_m / 2, vehicle.width_m / 2), (state[:, 4:5] / 2, state[:, 5:6] / 2)
    gap = _gap(there[None] - ego[:, None], heading[:, None], state[None, :, 2, None], *sizes)
    sigma = 0.3 + 0.3 * time
    trust = 1.0 - 0.5 * time / (p * rollout.dt_s)
    return np.asarray((_below(-gap / sigma) * trust).max(axis=(1, 2)))


def _gap(
    apart: np.ndarray,
    heading: np.ndarray,
    other_heading: np.ndarray,
    size: tuple[float, float],
    other_size: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Largest separation over the four axes of two boxes (K, N, T); negative: overlap."""
    turn = other_heading - heading
    c, s = np.abs(np.cos(turn)), np.abs(np.sin(turn))
    (half_l, half_w), (other_l, other_w) = size, other_size
    gaps = []
    for angle, mine, theirs in (
        (heading, half_l, c * other_l + s * other_w),
        (heading + np.pi / 2, half_w, s * other_l + c * other_w),
        (other_heading, c * half_l + s * half_w, other_l),
        (other_heading + np.pi / 2, s * half_l + c * half_w, other_w),
    ):
        along = np.abs(apart[..., 0] * np.cos(angle) + apart[..., 1] * np.sin(angle))
        gaps.append(along - mine - theirs)
    return np.asarray(np.maximum.reduce(gaps))


def _below(z: np.ndarray) -> np.ndarray:
    """Normal distribution function, by the logistic curve (within 0.01)."""
    return np.asarray(1.0 / (1.0 + np.exp(np.clip(-1.702 * z, -50.0, 50.0))))
