"""What else would be: a second question to the expert, and its answer as a word."""

from __future__ import annotations

import numpy as np

from alpamayo_ros.training.annotation.binding import COARSE, Binding, Plan, Question

STANDING_MPS, CLEARLY_M, ASIDE_M = 0.5, 1.0, 0.3
IMAGINED_M = 20.0  # where a vehicle is imagined on a free road, ahead of the bumper
STEPS_ASIDE_M = 0.5
ABSENT = {
    'lead': 'lead_absent', 'light': 'light_green', 'pedestrian': 'pedestrian_absent',
    'cyclist': 'cyclist_absent', 'debris': 'debris_absent', 'works': 'works_absent',
    'oncoming': 'oncoming_absent', 'circling': 'circling_absent', 'joining': 'joining_absent',
    'siren': 'siren_absent',
}  # fmt: skip
RELAXED = {'bend': 'road_straight', 'limit': 'limit_absent', 'wish': 'wish_absent'}
WALKS_ON = {'pedestrian': 'pedestrian_walks_on', 'cyclist': 'cyclist_rides_on'}


def counterfactual(
    question: Question, bound: Binding, people: dict[str, float], imagined: tuple[str, float]
) -> tuple[str, str]:
    """Values of ``if`` and ``would``.

    ``people``: arc of the nearest visible pedestrian and cyclist who do not bind the plan; should
    they walk on, they would stand in the way.  ``imagined``: what else might happen, and the arc
    from where on something would then stand in the lane.
    """
    name = bound.cause.name
    if name in ABSENT and not bound.hidden:
        return ABSENT[name], would(question.base, question.without(bound.cause.ids))
    for who, arc_m in people.items():
        other = question.with_standing(arc_m - STEPS_ASIDE_M)
        return WALKS_ON[who], would(question.base, other)
    if name in RELAXED:
        return RELAXED[name], would(question.base, question.relaxed(name))
    name, arc_m = imagined
    return name, would(question.base, question.with_standing(arc_m))


def would(base: Plan, other: Plan) -> str:
    """How another plan differs from the one that is driven."""
    way, speed = _way_and_speed(base)
    other_way, other_speed = _way_and_speed(other)
    if speed >= STANDING_MPS > other_speed:
        return 'stop'
    if other_speed >= STANDING_MPS > speed:
        return 'drive_on'
    if other_way - way > CLEARLY_M:
        return 'faster'
    if way - other_way > CLEARLY_M:
        return 'brake_harder' if other_speed < STANDING_MPS else 'slower'
    aside = float(np.abs(base[:, 1] - other[:, 1]).max())
    return 'keep_lane' if aside > ASIDE_M else 'same'


def _way_and_speed(plan: Plan) -> tuple[float, float]:
    """Metres driven, and speed over the last second."""
    steps = np.hypot(*np.diff(plan[:, :2], axis=0, prepend=np.zeros((1, 2))).T)
    last = round(1.0 / COARSE.dt_s)
    return float(steps.sum()), float(steps[-last:].mean() / COARSE.dt_s)
