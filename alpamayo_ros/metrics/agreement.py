"""Whether the stated intent is what the selected path does.

The path is judged by its own speeds and headings, without a map.  Words of a change of speed name
no time: they fit where they fit what is done by the middle of the horizon, the rule by which
models are taught to speak, or by its end.  A turn is a change of heading
of at least 20 degrees, so that following a sharp bend counts as one; a lane change is an offset
of 2 to 5.5 m with the heading back within 10 degrees, which holds on straight roads only.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from alpamayo_ros.metrics.speed_change import STANDING_MPS, speed_change
from alpamayo_ros.metrics.words import split, stated_intent

SPEED_BAND_MPS = 1.0  # change of speed within the horizon that still counts as keeping it
TURN_RAD = math.radians(20.0)
BACK_RAD = math.radians(10.0)
LANE_CHANGE_M = (2.0, 5.5)
LEAST_WAY_M = 3.0  # over less way a heading says nothing
LAST_S = 0.5  # the speed at the end is the mean over this time

# How far a stated change of speed (row) and a driven one (column) agree: 1 yes, 0.5 undecided.
_SPEED = {
    'stop': {'stop': 1.0, 'wait': 1.0, 'slow': 1.0, 'keep': 0.5, 'speed_up': 0.0},
    'wait': {'stop': 1.0, 'wait': 1.0, 'slow': 0.5, 'keep': 0.0, 'speed_up': 0.0},
    'slow': {'stop': 1.0, 'wait': 1.0, 'slow': 1.0, 'keep': 0.5, 'speed_up': 0.0},
    'keep': {'stop': 0.0, 'wait': 1.0, 'slow': 0.5, 'keep': 1.0, 'speed_up': 0.5},
    'speed_up': {'stop': 0.0, 'wait': 0.5, 'slow': 0.0, 'keep': 0.5, 'speed_up': 1.0},
}
_OPPOSITE = {
    'left': {'right'},
    'right': {'left'},
    'lane_change_left': {'lane_change_right', 'right'},
    'lane_change_right': {'lane_change_left', 'left'},
}


def driven_speed(first_mps: float, last_mps: float) -> str:
    """What the speed does from now to the end of the horizon: stop, wait, slow, keep, speed_up."""
    if max(first_mps, last_mps) < STANDING_MPS:
        return 'wait'
    if last_mps < STANDING_MPS:
        return 'stop'
    change = last_mps - first_mps
    if abs(change) <= SPEED_BAND_MPS:
        return 'keep'
    return 'speed_up' if change > 0 else 'slow'


def _later_speeds(poses: Float[np.ndarray, 'P 3'], dt_s: float) -> tuple[float, float]:
    """Speed at the middle of the path, and the mean over its last half second."""
    steps = np.diff(poses[:, :2], axis=0, prepend=np.zeros((1, 2)))
    speeds = np.hypot(steps[:, 0], steps[:, 1]) / dt_s
    count = max(1, round(LAST_S / dt_s))
    return float(speeds[len(speeds) // 2]), float(speeds[-count:].mean())


def _usable(poses: Float[np.ndarray, 'P 3'], speed0_mps: float, dt_s: float) -> bool:
    numbers = math.isfinite(speed0_mps) and math.isfinite(dt_s) and dt_s > 0
    return numbers and len(poses) > 0 and bool(np.isfinite(poses).all())


def driven_intent(poses: Float[np.ndarray, 'P 3'], speed0_mps: float, dt_s: float) -> set[str]:
    """What a path (x, y, heading in base_link at t0) does, in the words of ``INTENTS``.

    One change of speed, and a turn or a lane change where there is one.  Empty where a number
    is not finite.
    """
    if not _usable(poses, speed0_mps, dt_s):
        return set()
    done = {driven_speed(speed0_mps, _later_speeds(poses, dt_s)[1])}
    way = np.hypot(*np.diff(poses[:, :2], axis=0, prepend=np.zeros((1, 2))).T).sum()
    if way < LEAST_WAY_M:
        return done
    turn, offset = float(np.unwrap(np.append(0.0, poses[:, 2]))[-1]), float(poses[-1, 1])
    if abs(turn) >= TURN_RAD:
        done.add('left' if turn > 0 else 'right')
    elif abs(turn) < BACK_RAD and LANE_CHANGE_M[0] <= abs(offset) <= LANE_CHANGE_M[1]:
        done.add('lane_change_left' if offset > 0 else 'lane_change_right')
    return done


def agreement(
    text: str, poses: Float[np.ndarray, 'P 3'], speed0_mps: float, dt_s: float
) -> float | None:
    """How far the path does what the text announces: mean over the announced, 0 to 1.

    Each counts 1 where it is driven, 0 where its opposite is, 0.5 where the horizon leaves it
    open.  None where the intent announces nothing or the path is not finite.
    """
    found = fits(text, poses, speed0_mps, dt_s)
    return sum(found.values()) / len(found) if found else None


def fits(
    text: str, poses: Float[np.ndarray, 'P 3'], speed0_mps: float, dt_s: float
) -> dict[str, float]:
    """How far the path does each thing that the text announces, by its name in ``INTENTS``.

    Empty where the intent announces nothing or the path is not finite.
    """
    said = stated_intent(text)
    if not said or not _usable(poses, speed0_mps, dt_s):
        return {}
    done = driven_intent(poses, speed0_mps, dt_s)
    middle, end = _later_speeds(poses, dt_s)
    speeds = (driven_speed(speed0_mps, end), speed_change(speed0_mps, middle, end))
    aside = {
        name: 1.0 if name in done else 0.0 if _OPPOSITE[name] & done else 0.5
        for name in sorted(said & _OPPOSITE.keys())
    }
    stated = sorted(said & _SPEED.keys())
    return aside | {name: max(_SPEED[name][speed] for speed in speeds) for name in stated}


def told_and_driven(
    text: str, poses: Float[np.ndarray, 'P 3'], speed0_mps: float, dt_s: float
) -> tuple[float | None, str]:
    """``agreement``, and a sentence on what differs, '' where nothing does."""
    mean = agreement(text, poses, speed0_mps, dt_s)
    if mean is None or mean == 1.0:
        return mean, ''
    done = ', '.join(sorted(driven_intent(poses, speed0_mps, dt_s)))
    return mean, f'The words say {split(text).get("intent", "")!r}; the plan does: {done}.'
