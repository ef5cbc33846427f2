"""A state of a CommonRoad obstacle: where it is, or the middle of where it may be.

The XML specification 2020a lets place, heading, speed and time be exact or a set of values (a
shape, an interval), as a sensor's uncertainty is written.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float

from alpamayo_ros.datasets.commonroad_shape import outline


class State(NamedTuple):
    """``step`` in steps of the scenario; ``speed_mps`` NaN where there is none.

    ``middle``: something of it is the middle of a set of values.
    """

    step: float
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    middle: bool


def read_state(element: ElementTree.Element) -> State | None:
    """None without a place, a heading or a time; ValueError for a number that is none."""
    place, known = _place(element.find('position')), {}
    for name in ('time', 'orientation', 'velocity'):
        if (value := _value(element.find(name))) is not None:
            known[name] = value
    if place is None or not {'time', 'orientation'} <= set(known):
        return None
    speed = known.get('velocity', (math.nan, False))
    (step, a), (heading, b), (x, y, c) = known['time'], known['orientation'], place
    if not all(map(math.isfinite, (step, x, y, heading))):
        raise ValueError(f'a state with step {step}, place {x} {y}, heading {heading}')
    return State(step, x, y, heading, speed[0], a or b or c or speed[1])


def step_s(root: ElementTree.Element) -> float:
    """Seconds a step, without which no speed means anything; ValueError where none are said."""
    text = root.get('timeStepSize', '')
    seconds = float(text or 'nan')
    if not 0 < seconds < math.inf:
        raise ValueError(f'timeStepSize {text!r}; expected seconds above 0')
    return seconds


def check_ids(ids: list[str]) -> None:
    """ValueError where obstacles cannot be told apart."""
    if '' in ids:
        raise ValueError('an obstacle without id; expected one of its own for each')
    twice = [name for name, count in Counter(ids).items() if count > 1]
    if twice:
        raise ValueError(f'more than one obstacle has the id {twice[0]}; expected one each')


def check_steps(name: str, steps: Float[np.ndarray, 'N']) -> None:
    """ValueError where the sorted steps of an obstacle are no course in time."""
    if steps[0] < 0:
        raise ValueError(f'obstacle {name} has a state of step {steps[0]:g}; expected 0 or more')
    again = steps[1:][np.diff(steps) == 0]
    if len(again):
        raise ValueError(f'obstacle {name} has more than one state of step {again[0]:g}')


def _value(element: ElementTree.Element | None) -> tuple[float, bool] | None:
    """A number, and whether it is the middle of an interval."""
    if element is None:
        return None
    if (exact := element.findtext('exact')) is not None:
        return float(exact), False
    ends = [element.findtext(f'interval{end}') for end in ('Start', 'End')]
    numbers = [float(text) for text in ends if text is not None]
    return (sum(numbers) / 2, True) if len(numbers) == 2 else None


def _place(position: ElementTree.Element | None) -> tuple[float, float, bool] | None:
    """x and y in metres, and whether they are the middle of shapes; None for a lanelet."""
    if position is None:
        return None
    if (point := position.find('point')) is not None:
        x, y = point.findtext('x'), point.findtext('y')
        return None if x is None or y is None else (float(x), float(y), False)
    corners = [corner for shape in position for corner in outline(shape)]
    if not corners:
        return None
    x_m, y_m = ((min(along) + max(along)) / 2 for along in zip(*corners, strict=True))
    return x_m, y_m, True
