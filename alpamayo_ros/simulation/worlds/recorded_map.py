"""The map around a drive of the simulator, in the words of a log: lanes, paint and signals.

Only what is near the ego's way is kept in the end (``datasets.log_build``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import singledispatch

import numpy as np
from jaxtyping import Float

from alpamayo_ros.datasets.log_format import LogError
from alpamayo_ros.datasets.log_map import Drawn
from alpamayo_ros.simulation.maps.roundabout_map import ARMS, RADIUS_M, RING_M
from alpamayo_ros.simulation.road import BEHIND_M, LANE_M, STEP_M
from alpamayo_ros.simulation.worlds.log_world import LogWorld
from alpamayo_ros.simulation.worlds.motorway import Motorway
from alpamayo_ros.simulation.worlds.roundabout import Roundabout
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.simulation.worlds.town import Town

AHEAD_M = 120.0  # of the ego's own lane, beyond where the drive ended
STOP_LINE_M = 1.5  # half of one
Points = Float[np.ndarray, 'n 2']


def drawn_map(sim: Simulation) -> list[Drawn]:
    """All lines of the world and the ego's own lane as far as it drove and saw."""
    last = min(sim.arc_m + AHEAD_M, sim.road.length_m)
    own = sim.road.at(np.arange(-BEHIND_M, last, 2 * STEP_M))[0]
    limit = sim.scenario.speed_limit_mps
    lane = Drawn('lane_centre', own, 'ego', LANE_M, limit)
    return [lane, *_others(sim), *_stop_lines(sim)]


@singledispatch
def _others(sim: Simulation) -> list[Drawn]:
    """The lines beside the ego's lane: here those of the winding road."""
    centre, left = sim.road.centre, sim.road.centre_normal
    oncoming = Drawn('lane_centre', (centre + left * LANE_M / 2)[::-1], 'oncoming', LANE_M)
    sides = [Drawn('lane_line', centre + left * s * LANE_M, paint='white') for s in (-1, 1)]
    return [oncoming, Drawn('lane_line', centre, paint='white_dashed'), *sides]


@_others.register
def _(sim: Town) -> list[Drawn]:
    streets = [
        Drawn('lane_centre', r.line, f'street_{k}', r.width_m)
        for k, r in enumerate(sim.town.lanes)
    ]
    return [
        *streets,
        *(Drawn('crosswalk', _outline(r.line, r.width_m)) for r in sim.town.crossings),
    ]


@_others.register
def _(sim: Motorway) -> list[Drawn]:
    way, own = sim.way, range(sim.way.lanes)
    lanes = [Drawn('lane_centre', way.lane(k).position, f'lane_{k}', LANE_M) for k in own]
    aside = [(k - 0.5) * LANE_M for k in range(way.lanes + 1)]
    outer = (aside[0], aside[-1])
    return lanes + [
        Drawn('lane_line', way.at(way.s, n), paint='white' if n in outer else 'white_dashed')
        for n in aside
    ]


@_others.register
def _(sim: Roundabout) -> list[Drawn]:
    turn = np.linspace(0, 2 * math.pi, 60)
    ring = RADIUS_M * np.stack([np.cos(turn), np.sin(turn)], 1)
    arms = [
        Drawn('lane_centre', way(k), f'{word}_{k}', LANE_M)
        for k in range(ARMS)
        for word, way in (('in', sim.way.way_in), ('out', sim.way.way_out))
    ]
    return [Drawn('lane_centre', ring, 'ring', RING_M), *arms]


@_others.register
def _(sim: LogWorld) -> list[Drawn]:
    raise LogError(f'{sim.log.name}: this drive is one of a log; copy the log instead')


def lights(sim: Simulation) -> Iterator[tuple[str, tuple[float, float], str]]:
    """Signals on the ego's way, now: a name, the stop point, what each shows."""
    if isinstance(sim, Town):
        for k, junction in enumerate(sim.route.junctions):
            shown = sim.shown_at(junction)
            if shown:
                x, y, _ = sim.road.point(junction.stop_arc_m)
                yield f'signal_{k}', (x, y), shown


def priorities(sim: Simulation) -> Iterator[tuple[tuple[float, float], bool]]:
    """Lines before which the ego gives way, now: the place, whether somebody has priority."""
    if isinstance(sim, Roundabout):
        x, y, _ = sim.road.point(sim.line_m)
        yield (x, y), bool(sim.on_the_ring())


def _stop_lines(sim: Simulation) -> list[Drawn]:
    if not isinstance(sim, Town):
        return []
    ends = [
        [sim.road.pose(j.stop_arc_m, s * STOP_LINE_M)[:2] for s in (-1, 1)]
        for j in sim.route.junctions
        if j.tls
    ]
    return [Drawn('stop_line', np.array(two)) for two in ends]


def _outline(line: Points, width_m: float) -> Points:
    """The area of a crossing from its middle line."""
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    left = np.stack([-along[:, 1], along[:, 0]], 1) * width_m / 2
    return np.concatenate([line + left, (line - left)[::-1], line[:1] + left[:1]])
