"""The lanes of a Lanelet2 map (.osm) of Autoware, read without lanelet2.

``autoware_map_msgs/LaneletMapBin`` is an archive of C++; the file that it was made from is XML
and holds each point in the map's frame (tags ``local_x`` and ``local_y`` [m]).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float

from alpamayo_ros.xml_file import XmlError, read_xml

MOST_BYTES = 512 << 20  # the map of a city district has some 100 MB
SAMPLES = 50  # points of a centre line
DRIVEN = ('road', 'highway', 'road_shoulder')
SIDES = ('left', 'right')
CURVED_RAD = math.radians(20.0)  # from here on a lane's own shape says which way it turns
Line = Float[np.ndarray, 'N 2']


@dataclass(frozen=True, slots=True)
class Lane:
    """One lanelet in its driving direction.

    ``centre`` [m] in the map; ``tagged``: its tag turn_direction, '' where it has none.
    """

    centre: Line
    tagged: str = ''

    @property
    def turned_rad(self) -> float:
        """Change of direction from begin to end, left positive."""
        heading = np.unwrap(np.arctan2(*np.diff(self.centre, axis=0).T[::-1]))
        return float(heading[-1] - heading[0])

    @property
    def turn(self) -> str:
        """``left``, ``right`` or ''; which way a tagged lane turns is what its shape says."""
        if self.tagged not in SIDES:
            return ''
        if abs(self.turned_rad) < CURVED_RAD:
            return self.tagged
        return SIDES[self.turned_rad < 0]

    @property
    def contradicts(self) -> bool:
        """Whether the tag says the other way than the shape."""
        return self.turn not in ('', self.tagged)


def read_lanes(path: str | Path) -> dict[int, Lane]:
    """Every lanelet that is driven on, by id; ValueError says what the file lacks."""
    file = Path(path)
    root = read_xml(file, MOST_BYTES)
    try:
        points = _points(root)
        ways = {
            w.get('id', ''): [points[r] for n in w.findall('nd') if (r := n.get('ref')) in points]
            for w in root.findall('way')
        }
        found = {int(e.get('id', '')): _lane(e, ways) for e in root.findall('relation')}
    except (ValueError, TypeError) as error:
        raise XmlError(f'{file}: no sound Lanelet2 map: {error}') from None
    lanes = {number: lane for number, lane in found.items() if lane is not None}
    if not lanes:
        what = 'no lanelet of road' if points else 'no point with local_x and local_y'
        text = f'{file} holds {what}; expected the lanelet2_map.osm that Autoware was started with'
        raise XmlError(text)
    return lanes


def _tags(element: ElementTree.Element) -> dict[str, str]:
    return {t.get('k', ''): t.get('v', '') for t in element.findall('tag')}


def _points(root: ElementTree.Element) -> dict[str | None, tuple[float, float]]:
    found: dict[str | None, tuple[float, float]] = {}
    for node in root.findall('node'):
        tags = _tags(node)
        if 'local_x' in tags and 'local_y' in tags:
            place = (float(tags['local_x']), float(tags['local_y']))
            if not all(map(math.isfinite, place)):
                raise ValueError(f'node {node.get("id")} lies at {place}')
            found[node.get('id')] = place
    return found


def _lane(
    relation: ElementTree.Element, ways: dict[str, list[tuple[float, float]]]
) -> Lane | None:
    """The lanelet of a relation; None for anything else, and for one without two bounds."""
    tags = _tags(relation)
    if tags.get('type') != 'lanelet' or tags.get('subtype') not in DRIVEN:
        return None
    bounds = {m.get('role'): ways.get(m.get('ref', ''), []) for m in relation.findall('member')}
    sides = [np.array(bounds.get(side, [])).reshape(-1, 2) for side in SIDES]
    if any(len(side) < 2 or not np.ptp(side, axis=0).any() for side in sides):
        return None
    return Lane(_between(*sides), tags.get('turn_direction', ''))


def _between(left: Line, right: Line) -> Line:
    """The middle of two bounds, in the direction in which ``left`` lies on the left."""
    if np.hypot(*(left[0] - right[0])) > np.hypot(*(left[0] - right[-1])):
        right = right[::-1]
    along, across = left[-1] - left[0], right[0] - left[0]
    if along[0] * across[1] - along[1] * across[0] > 0:
        left, right = left[::-1], right[::-1]
    return np.asarray((_even(left) + _even(right)) / 2)


def _even(line: Line) -> Line:
    """``SAMPLES`` points at equal distances."""
    arc = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    at = np.linspace(0.0, arc[-1], SAMPLES)
    return np.stack([np.interp(at, arc, line[:, i]) for i in (0, 1)], axis=1)
