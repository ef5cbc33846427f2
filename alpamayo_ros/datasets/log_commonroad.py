"""A log from a CommonRoad scenario (XML 2018b and 2020a), one of its vehicles being the ego.

Source of the form: XML specification 2020a of CommonRoad.  Scenarios from recordings hold no
track of the ego that is to be planned, so one of the recorded vehicles is taken instead.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import shapely

from alpamayo_ros.datasets.commonroad_shape import read_shape
from alpamayo_ros.datasets.commonroad_state import check_ids, check_steps, read_state, step_s
from alpamayo_ros.datasets.log_build import Material, Seen
from alpamayo_ros.datasets.log_format import Kind, LogError, Paint, Provenance
from alpamayo_ros.datasets.log_map import Drawn
from alpamayo_ros.xml_file import XmlError, read_xml

MAX_BYTES = 64 << 20
KINDS: dict[str, Kind] = {
    'car': 'car',
    'parkedVehicle': 'car',
    'taxi': 'car',
    'priorityVehicle': 'car',
    'truck': 'truck',
    'bus': 'bus',
    'motorcycle': 'motorcycle',
    'bicycle': 'cyclist',
    'pedestrian': 'pedestrian',
    'constructionZone': 'barrier',
    'roadBoundary': 'barrier',
}  # anything else: other
WHITE: Paint = 'white'
DASHED: Paint = 'white_dashed'
MARKINGS = {'solid': WHITE, 'broad_solid': WHITE, 'dashed': DASHED, 'broad_dashed': DASHED}
VERSIONS = ('2018b', '2020a')
OBSTACLES = ('obstacle', 'dynamicObstacle', 'staticObstacle')
HAND_MADE = re.compile(r'hand-?\s?crafted|hand-?made', re.IGNORECASE)
CLOSE_M = 0.05  # two bounds with these ends are one line
LARGE_M = 7.5  # a 'car' that is longer is a lorry


def read(path: Path, ego: str = '') -> Material:
    """What a CommonRoad file holds.

    ``ego``: id of the vehicle to be driven; '': of those present from first to last step the one
    that drives furthest.
    """
    root = _root(path)
    version = root.get('commonRoadVersion', '')
    if root.tag != 'commonRoad' or version not in VERSIONS:
        raise LogError(f'{path}: {root.tag} {version!r}; expected commonRoad {VERSIONS}')
    try:
        return _material(root, path.stem, ego)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        if isinstance(error, LogError):
            raise
        raise LogError(f'{path}: no sound CommonRoad scenario: {error}') from None


def _root(path: Path) -> ElementTree.Element:
    try:
        return read_xml(path, MAX_BYTES)
    except XmlError as error:
        raise LogError(str(error)) from None


def _material(root: ElementTree.Element, name: str, ego: str) -> Material:
    dt_s = step_s(root)
    assumed: Counter[str] = Counter()
    found = [e for tag in OBSTACLES for e in root.iterfind(tag)]
    check_ids([element.get('id', '') for element in found])
    seen = [s for s in (_seen(e, dt_s, assumed) for e in found) if s is not None]
    end_s = max((float(s.time_s[-1]) for s in seen), default=0.0)
    seen = [_standing(s, end_s) for s in seen]
    left = tuple(f'obstacles, {count}: {what}' for what, count in sorted(assumed.items()))
    mine, made = _choose(seen, ego, name, left), _made(root)
    lights = len(root.findall('trafficLight'))
    others = [s for s in seen if s is not mine]
    provenance = Provenance(
        source=f'CommonRoad {root.get("benchmarkID", name)}; {root.get("source", "")}'[:400],
        licence='that of the scenario and of its source; map data of OpenStreetMap are ODbL 1.0',
        attribution=f'{root.get("author", "")}; {root.get("affiliation", "")}'[:400],
        real=() if made else ('tracks, as the scenario has them',),
        computed=(
            *((f'tracks: {made}',) if made else ()),
            'lane centres and widths, from the bounds of lanelets',
        ),
        assumed=(
            f'the ego is vehicle {mine.id} of the {"scenario" if made else "recording"}',
            *(() if _marked(root) else ('lane markings, from neighbours',)),
            *left,
            *((f'traffic lights, {lights}: left out',) if lights else ()),
        ),
    )
    return Material(name, provenance, mine, others, _lines(root))


def _made(root: ElementTree.Element) -> str:
    """Why nobody drove the tracks of a scenario, in its own words; '' where it says no such."""
    source = root.get('source', '')
    if root.find('scenarioTags/simulated') is not None or 'simulator' in source.casefold():
        return 'simulated, as the scenario says'
    return 'made by hand, as the scenario says' if HAND_MADE.search(source) else ''


def _choose(seen: list[Seen], ego: str, name: str, left: tuple[str, ...]) -> Seen:
    """The vehicle to be driven; ``left``: what was left out of the scenario, for a refusal."""
    if ego:
        found = [s for s in seen if s.id == ego]
        if not found:
            ids = ', '.join(s.id for s in seen)
            raise LogError(f'{name}: no vehicle {ego!r}; there are {ids}')
        return found[0]
    movers = [s for s in seen if s.kind in ('car', 'van', 'truck', 'bus') and len(s.time_s) > 1]
    if not movers:
        wanted = 'no vehicle that moves; expected a scenario with trajectories'
        raise LogError('; '.join((f'{name}: {wanted}', *left)))
    longest = max(float(s.time_s[-1] - s.time_s[0]) for s in movers)
    whole = [s for s in movers if s.time_s[-1] - s.time_s[0] > longest - 0.15]
    return max(whole, key=lambda s: float(np.linalg.norm(np.diff(s.xy, axis=0), axis=1).sum()))


def _seen(element: ElementTree.Element, dt_s: float, assumed: Counter[str]) -> Seen | None:
    """An obstacle; None where it is left out: ``assumed`` counts those, and what was guessed."""
    shape = read_shape(element)
    states = [*element.iterfind('initialState'), *element.iterfind('trajectory/state')]
    rows = [row for row in map(read_state, states) if row is not None]
    if element.find('occupancySet') is not None:
        assumed['left out, as sets of places instead of a trajectory'] += 1
        return None
    if not rows or shape is None:
        why = 'a shape too large or too small' if rows else 'no state with place and heading'
        assumed[f'left out, with {why}'] += 1
        return None
    if shape.assumed:
        assumed[shape.assumed] += 1
    if any(row.middle for row in rows):
        assumed['in the middle of where they may be'] += 1
    table = np.array(sorted(rows))
    check_steps(str(element.get('id')), table[:, 0])
    kind = KINDS.get(element.findtext('type', '').strip(), 'other')
    if kind == 'car' and shape.length_m > LARGE_M:
        kind = 'truck'
    speed, places = table[:, 4], shape.middles(table[:, 1:4])
    return Seen(
        id=str(element.get('id', '')),
        kind=kind,
        length_m=shape.length_m,
        width_m=shape.width_m,
        time_s=table[:, 0] * dt_s,
        xy=places[:, :2],
        heading_rad=places[:, 2],
        speed_mps=None if np.isnan(speed).any() else np.abs(speed),
    )


def _standing(seen: Seen, end_s: float) -> Seen:
    """A thing with one state stands there to the end."""
    if len(seen.time_s) > 1 or end_s <= seen.time_s[0]:
        return seen
    t = np.arange(seen.time_s[0], end_s + 0.25, 0.5).clip(max=end_s)
    n = len(t)
    xy, heading = np.repeat(seen.xy, n, 0), np.repeat(seen.heading_rad, n)
    return Seen(seen.id, seen.kind, seen.length_m, seen.width_m, t, xy, heading, np.zeros(n))


# ---- the map ------------------------------------------------------------------------------------
def _points(bound: ElementTree.Element | None) -> np.ndarray:
    points = [] if bound is None else list(bound.iterfind('point'))
    return np.array([[float(p.findtext('x', '')), float(p.findtext('y', ''))] for p in points])


def _marked(root: ElementTree.Element) -> bool:
    return root.find('lanelet/leftBound/lineMarking') is not None


def _lines(root: ElementTree.Element) -> list[Drawn]:
    """Lane centres, and those bounds of lanes that no lane crosses: junctions have none."""
    signs = _limits(root)
    out: list[Drawn] = []
    lanes = []
    for e in root.iterfind('lanelet'):
        left, right = _points(e.find('leftBound')), _points(e.find('rightBound'))
        if len(left) < 2 or len(left) != len(right):
            continue
        width = float(np.clip(np.median(np.linalg.norm(left - right, axis=1)), 2.0, 8.0))
        centre, key = (left + right) / 2, str(e.get('id'))
        out.append(Drawn('lane_centre', centre, key, width, _limit(e, signs)))
        if e.find('stopLine') is not None:
            out.append(Drawn('stop_line', np.stack([right[-1], left[-1]]), key))
        lanes.append((e, left, right))
    middles = shapely.STRtree([shapely.LineString(d.xy) for d in out if d.kind == 'lane_centre'])
    taken: set[Any] = set()
    for e, left, right in lanes:
        for side, xy in (('left', left), ('right', right)):
            if not len(middles.query(shapely.LineString(xy), 'crosses')):
                out += _bound(e, side, xy, taken)
    return out


def _bound(e: ElementTree.Element, side: str, xy: np.ndarray, taken: set[Any]) -> list[Drawn]:
    """The line along a side of a lanelet, unless its neighbour has drawn it already."""
    ends = frozenset(
        tuple(np.round(p / CLOSE_M / 4).astype(int).tolist()) for p in (xy[0], xy[-1])
    )
    if ends in taken:
        return []
    taken.add(ends)
    neighbour = e.find('adjacentLeft' if side == 'left' else 'adjacentRight')
    marking = e.findtext(f'{side}Bound/lineMarking', '').strip()
    if neighbour is None:
        edge = Drawn('road_edge', xy)
        return [edge] if marking == 'no_marking' else [edge, Drawn('lane_line', xy, paint='white')]
    opposite = neighbour.get('drivingDir') == 'opposite'
    guess: Paint = 'yellow_double' if opposite else 'white_dashed'
    paint = '' if marking == 'no_marking' else MARKINGS.get(marking, guess)
    return [Drawn('lane_line', xy, paint=paint)] if paint else []


def _limits(root: ElementTree.Element) -> dict[str | None, float]:
    """Speed limits by the id of their sign (2020a)."""
    out: dict[str | None, float] = {}
    for sign in root.iterfind('trafficSign'):
        for element in sign.iterfind('trafficSignElement'):
            name = element.findtext('trafficSignID', '')
            value = element.findtext('additionalValue')
            if value and name in ('R2-1', '274', 'MAXSPEED', 'S21-1', 'r301', 'B14'):
                out[sign.get('id')] = float(value)
    return out


def _limit(e: ElementTree.Element, signs: dict[str | None, float]) -> float | None:
    found = [signs.get(r.get('ref')) for r in e.iterfind('trafficSignRef')]
    if (text := e.findtext('speedLimit')) is not None:
        found = [float(text)]
    return next((v for v in found if v is not None and 0 < v <= 60), None)
