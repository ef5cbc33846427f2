"""The annotator: what the expert saw and did as a chain of causation.

It speaks in the phrases of ``phrases_v1``.  Thresholds are annotation choices, not measurements;
they say when a person would use the word.  Those that words are also judged by have one
home with the truth (``simulation.drive.facts``, ``metrics.speed_change``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alpamayo_ros.metrics.speed_change import LAST, STANDING_MPS, speed_change
from alpamayo_ros.simulation.drive.facts import BRAKING_MPS2, VEHICLE_M

SHARP_1PM, BEND_1PM = 1 / 35, 1 / 120
OFF_CENTRE_M, STEER_BACK_M = 0.35, 0.5
GAPS_M = (5, 10, 15, 20, 25, 30, 40, 50)
SPEEDS = {'keep': 'keep speed', 'slow': 'slow down', 'stop': 'stop', 'wait': 'wait',
          'speed_up': 'speed up'}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """Truth the annotator speaks about.

    ``gap_m`` is bumper to bumper, inf without a vehicle ahead.
    """

    speed_mps: float
    lane_offset_m: float
    curvature_ahead_1pm: Float[np.ndarray, ' 4']
    gap_m: float
    leader_speed_mps: float
    leader_acceleration_mps2: float


def plan_speeds(plan: Float[np.ndarray, 'P 3'], dt_s: float) -> Float[np.ndarray, ' P']:
    """Speed [m/s] over each step of a plan that starts at the origin."""
    steps = np.diff(plan[:, :2], axis=0, prepend=np.zeros((1, 2), plan.dtype))
    return np.hypot(steps[:, 0], steps[:, 1]) / dt_s


def annotate(facts: Facts, plan: Float[np.ndarray, 'P 3'], dt_s: float) -> dict[str, str]:
    """One phrase for every slot of the grammar."""
    speeds = plan_speeds(plan, dt_s)
    speed = speed_intent(facts.speed_mps, speeds)
    situation = _situation(facts)
    return {
        'road': _road(facts.curvature_ahead_1pm),
        'place': _place(facts.lane_offset_m),
        'vehicle': _vehicle(facts),
        'gap': _gap(facts.gap_m),
        'situation': situation,
        'rationale': _rationale(situation, speed, facts),
        'speed': speed,
        'lane': ' and steer back to the centre'
        if abs(facts.lane_offset_m) > STEER_BACK_M
        else ' and keep the lane',
    }


def _road(curvature: Float[np.ndarray, ' 4']) -> str:
    near = curvature[:3]
    k = float(near[np.argmax(np.abs(near))])
    if abs(k) < BEND_1PM:
        return 'road straight'
    return f'road bends {"sharply " if abs(k) > SHARP_1PM else ""}{"left" if k > 0 else "right"}'


def _place(offset_m: float) -> str:
    if abs(offset_m) < OFF_CENTRE_M:
        return ', in lane centre'
    return ', left of centre' if offset_m > 0 else ', right of centre'


def _vehicle(f: Facts) -> str:
    if f.gap_m > VEHICLE_M:
        return ', no vehicle ahead'
    if f.leader_speed_mps < STANDING_MPS:
        return ', standing vehicle ahead'
    return (
        ', braking vehicle ahead'
        if f.leader_acceleration_mps2 < BRAKING_MPS2
        else ', moving vehicle ahead'
    )


def _gap(gap_m: float) -> str:
    return '' if gap_m > VEHICLE_M else f' at {min(GAPS_M, key=lambda g: abs(g - gap_m))} m'


def _situation(f: Facts) -> str:
    if f.gap_m > VEHICLE_M:
        return 'bend ahead' if np.abs(f.curvature_ahead_1pm[1:]).max() > SHARP_1PM else 'free road'
    closing = f.speed_mps - f.leader_speed_mps
    if f.leader_speed_mps < STANDING_MPS:
        standing = f.speed_mps < STANDING_MPS and f.gap_m < 8
        return 'standing behind a vehicle' if standing else 'closing on a standing vehicle'
    if closing > 1.0:
        return 'closing on a vehicle'
    return 'the gap opens' if closing < -1.0 else 'following a vehicle'


def speed_intent(speed_mps: float, plan: Float[np.ndarray, ' P']) -> str:
    """Keep speed, slow down, stop, wait or speed up, from the speeds of a plan."""
    middle, end = float(plan[len(plan) // 2]), float(plan[-LAST:].mean())
    return SPEEDS[speed_change(speed_mps, middle, end)]


def _rationale(situation: str, speed: str, f: Facts) -> str:
    if situation in ('standing behind a vehicle', 'closing on a standing vehicle'):
        return (
            'there is no room to drive on'
            if speed in ('stop', 'wait')
            else 'a safe gap must be kept'
        )
    if math.isfinite(f.gap_m) and f.gap_m <= VEHICLE_M:
        return 'the way ahead is free again' if speed == 'speed up' else 'a safe gap must be kept'
    if speed in ('slow down', 'stop'):
        return 'the bend asks for less speed'
    return (
        'speed is below what the road allows'
        if speed == 'speed up'
        else 'nothing ahead asks for less speed'
    )
