"""How often a sample is drawn: decisions more often, standing still less often."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from alpamayo_ros.training.stream.dense import FIRST_OBJECT, THING, THING_AT, WAY

DECISION, NEAR, TURN, WAITING, OWN = 2.5, 1.6, 1.5, 0.35, 1.5
SLOW_MPS, BRAKES_MPS, NEAR_M, SHIFT_M, TURN_RAD = 1.0, 1.5, 25.0, 0.2, 0.35
PERSON_M = 20.0
SOON, AT_3_S, WAITS_M, WAITS_STEPS = (14, 19), 29, 0.5, 20  # points of a plan, 0.1 s apart


def importance(row: Mapping[str, np.ndarray], still_steps: int, own: bool) -> float:
    """Weight of a sample; ``own``: a state that the policy has driven into."""
    plan, dense, speed = row['plan'], row['dense'], float(row['speed'])
    first, last = SOON
    soon_mps = float(np.hypot(*(plan[last, :2] - plan[first, :2]))) / (0.1 * (last - first))
    weight = 1.0
    if speed < SLOW_MPS:
        waits = still_steps > WAITS_STEPS and float(np.hypot(*plan[-1, :2])) < WAITS_M
        weight = DECISION if soon_mps > SLOW_MPS else WAITING if waits else 1.0
    elif soon_mps < speed - BRAKES_MPS:
        weight = DECISION
    near = dense[THING] and dense[THING_AT] < NEAR_M
    if weight > WAITING and dense[FIRST_OBJECT] and dense[FIRST_OBJECT + 1] < PERSON_M:
        near = True  # people are there in one state of seven
    if near or np.abs(dense[list(WAY)]).max() > SHIFT_M:
        weight = max(weight, NEAR)
    if abs(plan[AT_3_S, 2]) > TURN_RAD:
        weight = max(weight, TURN)
    return weight * (OWN if own else 1.0)
