"""Instructions from a route (points ahead of the car) and from plain text, before wording."""

from __future__ import annotations

import math
import re

import numpy as np
from jaxtyping import Float

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.sensing.navigation import Maneuver, NavInstruction

MAX_TEXT = 120
MAX_POINTS = 10_000
# A junction turns by more than 50 degrees within 20 m (radius under 23 m); bends of a road do not.
TURN_RAD = math.radians(50.0)
U_TURN_RAD = math.radians(150.0)
TURN_LENGTH_M = 20.0
LOOK_AHEAD_M = 200.0
STOP_M = 30.0
_VERBS = (
    (Maneuver.U_TURN, r'(?:make a |do a )?u-?turn|turn (?:a)?round'),
    (Maneuver.MERGE_LEFT, r'(?:merge|change|keep)(?: lanes?)?(?: to the)? left'),
    (Maneuver.MERGE_RIGHT, r'(?:merge|change|keep)(?: lanes?)?(?: to the)? right'),
    (Maneuver.LEFT, r'(?:turn |go |take a |make a )?left'),
    (Maneuver.RIGHT, r'(?:turn |go |take a |make a )?right'),
    (Maneuver.STRAIGHT, r'(?:go |keep |continue |drive )?straight(?: on| ahead)?'),
    (Maneuver.FOLLOW, r'follow the (?:road|lane|route)|keep (?:your |the )?lane|continue'),
    (Maneuver.EXIT, r'take the (?:(?P<nth>first|second|third|fourth|fifth|sixth|next) )?exit'),
    (Maneuver.STOP, r'stop|pull over|halt'),
)
_AT = r'at the (?:next )?(?:junction|intersection|traffic lights?|roundabout)'
_WHERE = rf'(?: (?:(?P<now>now|here)|{_AT}))?'
_LAST = _WHERE.replace('<now>', '<last>')
_HOW_FAR = r'(?: (?:in|after) (?P<far>\d{1,4}(?:\.\d)?) ?(?P<unit>m|meters?|metres?|km))?'
_STREET = r'(?: (?:onto|into|on) (?P<street>.{1,200}))?'
_PATTERNS = tuple(
    (maneuver, re.compile(rf'(?:please )?(?:{verb}){_WHERE}{_HOW_FAR}{_LAST}{_STREET}\.?', re.I))
    for maneuver, verb in _VERBS
)
_NTH = {'first': 1, 'second': 2, 'third': 3, 'fourth': 4, 'fifth': 5, 'sixth': 6}


def from_text(text: str) -> NavInstruction | Fault:
    """Understand ``turn left in 80 m onto Elm Street`` and the like; else NAV_FORMAT."""
    if len(text) > MAX_TEXT:
        return Fault(Code.NAV_FORMAT, f'{len(text)} characters, at most {MAX_TEXT}', {})
    words = ' '.join(text.split())
    for maneuver, pattern in _PATTERNS:
        match = pattern.fullmatch(words)
        if match is None:
            continue
        found = match.groupdict()
        here = 0.0 if found['now'] or found['last'] else math.nan
        far = float(found['far']) if found['far'] else here
        far *= 1000.0 if found['unit'] == 'km' else 1.0
        return NavInstruction(
            maneuver, far, found['street'] or '', _NTH.get(found.get('nth') or '', 0)
        )
    return Fault(Code.NAV_FORMAT, f'{ascii(words)} is no instruction that is known', {})


def from_route(points_in_base: Float[np.ndarray, 'N 2']) -> NavInstruction | Fault:
    """The next manoeuvre of a route given as points in base_link [m], in driving order.

    Points behind the one closest to the car are dropped.  A turn is a change of direction of over
    50 degrees within 20 m; a route that ends within 30 m is a stop.
    """
    if len(points_in_base) < 2 or len(points_in_base) > MAX_POINTS:
        message = f'a route of {len(points_in_base)} points, expected 2 to {MAX_POINTS}'
        return Fault(Code.NAV_FORMAT, message, {})
    if not bool(np.isfinite(points_in_base).all()):
        return Fault(Code.NAV_FORMAT, 'a route point is not finite', {})
    path = _resample(points_in_base[int(np.argmin(np.hypot(*points_in_base.T))) :])
    length_m = float(len(path) - 1)
    turn = _first_turn(path)
    if turn is not None:
        return turn
    return NavInstruction(Maneuver.STOP, length_m) if length_m < STOP_M else NavInstruction(0)


def _resample(points: Float[np.ndarray, 'N 2']) -> Float[np.ndarray, 'M 2']:
    """Points one metre apart, at most ``LOOK_AHEAD_M`` + 20 m."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    arc = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.arange(0.0, min(float(arc[-1]), LOOK_AHEAD_M + TURN_LENGTH_M) + 1e-9, 1.0)
    return np.stack([np.interp(at, arc, points[:, 0]), np.interp(at, arc, points[:, 1])], axis=1)


def _first_turn(path: Float[np.ndarray, 'M 2']) -> NavInstruction | None:
    """The first place where the direction changes by a junction's worth."""
    if len(path) < 3:
        return None
    heading = np.unwrap(np.arctan2(*np.diff(path, axis=0).T[::-1]))
    window = min(int(TURN_LENGTH_M), len(heading) - 1)
    change = heading[window:] - heading[:-window]
    places = np.flatnonzero(np.abs(change) > TURN_RAD)
    if not len(places):
        return None
    first = int(places[0])
    total = heading[min(first + 2 * window, len(heading) - 1)] - heading[first]
    inside = np.abs(heading[first : first + window + 1] - heading[first])
    begins = first + int(np.argmax(inside > TURN_RAD / 4))
    if abs(total) > U_TURN_RAD:
        return NavInstruction(Maneuver.U_TURN, float(begins))
    return NavInstruction(Maneuver.LEFT if total > 0 else Maneuver.RIGHT, float(begins))
