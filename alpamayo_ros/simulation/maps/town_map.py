"""A signalised town from ``config/maps/*.net.xml.gz`` (SUMO's format).

Lanes, crossings, junctions, signals, and routes through it.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from alpamayo_ros.profile import share_dir
from alpamayo_ros.simulation.maps.town_route import Junction, TownRoute, fillet
from alpamayo_ros.simulation.town_names import MAP_NAMES

SIGNAL_SIDE_M = 0.9  # pole beside the lane's right edge
TURNS = ('s', 'L', 'R', 'l', 'r', 't')  # SUMO's words; the signal shown is the first one's


@dataclass(frozen=True, slots=True)
class Ribbon:
    """A piece of road: centre line [m] and width."""

    line: Float[np.ndarray, 'n 2']
    width_m: float


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal head: foot of its pole, the heading of the traffic it faces, its link."""

    tls: str
    link: int
    x_m: float
    y_m: float
    heading_rad: float


class TownMap:
    """The static town.  ``edges``: names of streets for cars and of those with a sidewalk."""

    def __init__(self, name: str) -> None:
        import sumolib

        self.path = map_path(name)
        self._net: Any = sumolib.net.readNet(
            str(self.path), withInternal=True, withPedestrianConnections=True
        )
        streets = self._net.getEdges(withInternal=False)
        self.edges = sorted(e.getID() for e in streets)
        lanes = [lane for e in streets for lane in e.getLanes()]
        self.lanes = [_ribbon(lane) for lane in lanes if lane.allows('passenger')]
        self.sidewalks = [_ribbon(lane) for lane in lanes if not lane.allows('passenger')]
        inner = [e for e in self._net.getEdges(withInternal=True) if e.getFunction()]
        self.crossings = [_ribbon(e.getLanes()[0]) for e in _of(inner, 'crossing')]
        self.corners = [_points(e.getLanes()[0].getShape()) for e in _of(inner, 'walkingarea')]
        self.junctions = [_points(node.getShape()) for node in self._net.getNodes()]
        self.signals = [head for e in streets for head in self._heads(e)]
        self.signalled = {e.getID() for e in streets if self._controlled(e)}

    def _controlled(self, edge: Any) -> list[Any]:
        connections = [c for lane in edge.getLanes() for c in lane.getOutgoing()]
        return [c for c in connections if c.getTLLinkIndex() >= 0 and _drivable(c)]

    def _heads(self, edge: Any) -> list[Signal]:
        """A head at the stop line and a repeater beyond the junction, both on the right."""
        controlled = self._controlled(edge)
        if not controlled:
            return []
        ahead = min(controlled, key=lambda c: TURNS.index(c.getDirection()))
        tls, link = ahead.getTLSID(), ahead.getTLLinkIndex()
        lane = ahead.getFromLane()
        here = _points(lane.getShape())
        heads = [_head(tls, link, here[-1], here[-1] - here[-2], lane.getWidth())]
        if ahead.getDirection() == 's':
            beyond = ahead.getToLane()
            far = _points(beyond.getShape())
            heads.append(_head(tls, link, far[0], far[1] - far[0], beyond.getWidth()))
        return heads

    def random_edges(self, rng: np.random.Generator, count: int, first: str = '') -> list[str]:
        """A random walk of ``count`` streets; straight on is as likely as all turns together."""
        edge = self._net.getEdge(first or str(rng.choice(self.edges)))
        out = [edge.getID()]
        while len(out) < count:
            ways = _ways(edge)
            weights = np.array([2.0 if w.getDirection() == 's' else 1.0 for w in ways])
            way = ways[int(rng.choice(len(ways), p=weights / weights.sum()))]
            edge = way.getToLane().getEdge()
            out.append(edge.getID())
        return out

    def opposing(self, edge: str) -> list[str]:
        """Streets whose traffic comes towards a street's end and drives on beside it.

        Empty where there is no such street.
        """
        here = self._net.getEdge(edge)
        onward = next((w for w in _ways(here) if w.getDirection() == 's'), None)
        if onward is None:
            return []
        ahead = onward.getToLane().getEdge()
        towards, back = _reverse(ahead), _reverse(here)
        if towards is None or back is None or _target_of(towards, back) is None:
            return []
        before = [e for e in sorted(towards.getIncoming(), key=lambda e: str(e.getID()))]
        feeding = [e for e in before if _target_of(e, towards) == 's']
        return [str(e.getID()) for e in (*feeding[:1], towards, back)]

    def route(self, edges: list[str], seed: int) -> TownRoute:
        """The centre of the lanes along ``edges`` and the junctions between them."""
        pieces, marks, length = [], [], 0.0
        for k, name in enumerate(edges):
            lane = next(q for q in self._net.getEdge(name).getLanes() if q.allows('passenger'))
            pieces.append(_points(lane.getShape()))
            length += _length(pieces[-1])
            if k + 1 == len(edges):
                break
            way = next(w for w in _ways(lane.getEdge()) if _target(w) == edges[k + 1])
            ahead = next(
                q for q in self._net.getEdge(edges[k + 1]).getLanes() if q.allows('passenger')
            )
            inside = fillet(pieces[-1][-2:], _points(ahead.getShape())[:2])
            stop, length = length, length + _length(inside)
            pieces.append(inside)
            tls = way.getTLSID() if way.getTLLinkIndex() >= 0 else ''
            turn = way.getDirection().lower()
            marks.append(Junction(stop, length, turn, tls, way.getTLLinkIndex()))
        return TownRoute(np.concatenate(pieces), marks, seed)


def map_path(name: str) -> Path:
    """The file of a map; FileNotFoundError names the known ones."""
    path = share_dir() / 'config' / 'maps' / f'{name}.net.xml.gz'
    if not path.is_file():
        raise FileNotFoundError(f'no map {name!r}; there are {", ".join(MAP_NAMES)}')
    return path


@functools.lru_cache(maxsize=len(MAP_NAMES))
def town_map(name: str) -> TownMap:
    """``TownMap`` that reads each map once."""
    return TownMap(name)


def _points(shape: Any) -> Float[np.ndarray, 'n 2']:
    return np.asarray(shape, float)[:, :2]


def _length(line: Float[np.ndarray, 'n 2']) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def _ribbon(lane: Any) -> Ribbon:
    return Ribbon(_points(lane.getShape()), float(lane.getWidth()))


def _of(edges: list[Any], function: str) -> list[Any]:
    return sorted((e for e in edges if e.getFunction() == function), key=lambda e: str(e.getID()))


def _drivable(connection: Any) -> bool:
    return bool(
        connection.getFromLane().allows('passenger') and connection.getToLane().allows('passenger')
    )


def _ways(edge: Any) -> list[Any]:
    """Connections for cars out of a street, in a fixed order, none of them back."""
    ways = [c for lane in edge.getLanes() for c in lane.getOutgoing() if _drivable(c)]
    return sorted((w for w in ways if w.getDirection() != 't'), key=_target)


def _target(connection: Any) -> str:
    return str(connection.getToLane().getEdge().getID())


def _reverse(edge: Any) -> Any:
    """The street the other way, None in a one-way street."""
    out = edge.getToNode().getOutgoing()
    return next((e for e in out if e.getToNode() == edge.getFromNode()), None)


def _target_of(edge: Any, to: Any) -> str | None:
    """The direction in which a car goes from a street to another one, None where it cannot."""
    return next((str(w.getDirection()) for w in _ways(edge) if _target(w) == to.getID()), None)


def _head(tls: str, link: int, at: np.ndarray, along: np.ndarray, lane_width_m: float) -> Signal:
    ux, uy = along / np.linalg.norm(along)
    aside = lane_width_m / 2 + SIGNAL_SIDE_M
    x, y = at[0] + uy * aside, at[1] - ux * aside
    return Signal(tls, link, float(x), float(y), math.atan2(uy, ux))
