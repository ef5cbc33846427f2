"""Whether a counterfactual that somebody claims is so: the expert is asked under its condition."""

from __future__ import annotations

from alpamayo_ros.training.annotation.binding import Binding, Question
from alpamayo_ros.training.annotation.chain import Annotation, imagined
from alpamayo_ros.training.annotation.counterfactual import (
    ABSENT,
    RELAXED,
    STEPS_ASIDE_M,
    WALKS_ON,
    would,
)
from alpamayo_ros.training.annotation.seen import Seen


def outcome(question: Question, true: Annotation, condition: str) -> str | None:
    """The value of ``would`` under a condition (a value of ``if``) of the grammar.

    None where the condition is about something that is not there or that nobody can see, such as
    a pedestrian on an empty road.
    """
    for name, said in ABSENT.items():
        if condition == said:
            return _without(question, true.bound, name)
    for name, said in RELAXED.items():
        if condition == said:
            return would(question.base, question.relaxed(name))
    arc_m = _arc_m(question, list(true.objects), condition)
    return None if arc_m is None else would(question.base, question.with_standing(arc_m))


def _without(question: Question, bound: Binding, name: str) -> str | None:
    """The plan without that which binds, else without everything of that name."""
    if bound.cause.name == name:
        return None if bound.hidden else would(question.base, question.without(bound.cause.ids))
    ids = frozenset(i for c in question.causes if c.name == name for i in c.ids)
    return would(question.base, question.without(ids)) if ids else None


def _arc_m(question: Question, named: list[Seen], condition: str) -> float | None:
    """From where on something would stand in the lane."""
    for who, said in WALKS_ON.items():
        if condition == said:
            near = [s.distance_m for s in named if s.value.rpartition('_')[2] == who]
            return question.view.front_m + min(near) - STEPS_ASIDE_M if near else None
    first, arc_m = imagined(question, named)
    if condition == first:
        return arc_m
    return imagined(question, [])[1] if condition == 'vehicle_ahead' else None
