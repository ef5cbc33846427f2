"""A drive of the simulator as a log: who was where, the map, what the signals showed.

What is recorded is what a car with good sensors would have seen: everybody within 60 m.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from alpamayo_ros.datasets.log_build import Material, Seen
from alpamayo_ros.datasets.log_format import DT_S, Kind, LogError, Provenance
from alpamayo_ros.datasets.log_map import Light, Yielding
from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.drive.drive import Drive
from alpamayo_ros.simulation.drive.drivers import Driver
from alpamayo_ros.simulation.scenario import Scenario
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.simulation.worlds.recorded_map import drawn_map, lights, priorities
from alpamayo_ros.simulation.worlds.simulation import Simulation

SEEN_WITHIN_M = 60.0
KINDS: dict[str, Kind] = {
    'car': 'car',
    'van': 'van',
    'truck': 'truck',
    'cyclist': 'cyclist',
    'pedestrian': 'pedestrian',
    'cone': 'cone',
    'barrier': 'barrier',
    'emergency_car': 'car',
}  # anything else: other
LICENCE = 'CC0 1.0: made by the simulator of this package, free for any use'


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What of a drive is kept: from ``from_s`` on, ``seconds`` at most [s]."""

    from_s: float = 0.0
    seconds: float = 20.0

    def of(self, drive: Iterator[Simulation]) -> Iterator[Simulation]:
        """Those instants of the drive."""
        first = round(self.from_s / DT_S)
        return islice(drive, first, first + round(self.seconds / DT_S) + 1)


def driven(scenario: Scenario, seed: int, driver: Driver) -> Iterator[Simulation]:
    """Every instant of a drive, from its start on; LogError where the driver had an accident."""
    sim = open_world(scenario, seed, render=False)
    try:
        yield sim
        while not sim.done:
            sim.step(*driver(sim))
            _refuse_accident(sim)
            yield sim
    finally:
        sim.close()


def planned(drive: Drive) -> Iterator[Simulation]:
    """Every instant of a drive by a planner; LogError where it had an accident."""
    try:
        yield drive.sim
        while not drive.sim.done:
            drive.step()
            _refuse_accident(drive.sim)
            yield drive.sim
    finally:
        drive.close()


def _refuse_accident(sim: Simulation) -> None:
    outcome = sim.outcome
    done = ''
    if outcome.collisions:
        done = f'touched a {outcome.contact}'
    elif outcome.offroad_s > 0:
        done = 'left the road'
    elif outcome.red_lights or outcome.rules.stop_lines:
        done = 'drove over a line at red'
    if done:
        where = f'{sim.scenario.name}, seed {sim.seed}'
        when = f'after {outcome.duration_s:.1f} s'
        raise LogError(f'{where}: the driver {done} {when}: no example; end the excerpt before')


def record(name: str, made_by: str, instants: Iterator[Simulation]) -> Material:
    """All that a log needs of these instants; ``made_by``: the words that repeat the drive."""
    rows: list[tuple[float, ...]] = []
    others: dict[int, list[tuple[float, Agent]]] = defaultdict(list)
    shown: dict[str, tuple[tuple[float, float], list[tuple[int, str]]]] = {}
    yields: dict[tuple[float, float], list[int]] = {}
    sim: Simulation | None = None
    for step, sim in enumerate(instants):
        box, time_s = sim.ego_box(), sim.now_ns / 1e9
        rows.append((time_s, box.x_m, box.y_m, box.heading_rad, sim.pose.speed_mps))
        for agent in sim.agents():
            if np.hypot(agent.x_m - box.x_m, agent.y_m - box.y_m) <= SEEN_WITHIN_M:
                others[agent.id].append((time_s, agent))
        for key, place, light in lights(sim):
            _, changes = shown.setdefault(key, (place, []))
            if not changes or changes[-1][1] != light:
                changes.append((step, light))
        for place, somebody in priorities(sim):
            yields.setdefault(place, []).extend([step] if somebody else [])
    if sim is None:
        raise LogError(f'{name}: the drive is over before the excerpt begins')
    ego = np.array(rows)
    size = (sim.vehicle.length_m, sim.vehicle.width_m)
    return Material(
        name,
        _provenance(made_by),
        Seen('ego', 'car', *size, ego[:, 0], ego[:, 1:3], ego[:, 3], ego[:, 4]),
        [_seen(number, found) for number, found in sorted(others.items())],
        drawn_map(sim),
        [
            Light('ego', place, *map(tuple, zip(*changes, strict=True)))
            for place, changes in shown.values()
        ],
        [Yielding(place, tuple(steps)) for place, steps in yields.items()],
    )


def _seen(number: int, found: list[tuple[float, Agent]]) -> Seen:
    rows = np.array([(t, a.x_m, a.y_m, a.heading_rad, a.speed_mps) for t, a in found])
    agent = found[0][1]
    kind = KINDS.get(agent.kind, 'other')
    size = (agent.length_m, agent.width_m)
    return Seen(str(number), kind, *size, rows[:, 0], rows[:, 1:3], rows[:, 3], rows[:, 4])


def _provenance(made_by: str) -> Provenance:
    return Provenance(
        source=made_by,
        licence=LICENCE,
        computed=('everything: tracks, map and signals are those of the simulator',),
        assumed=('who is further away than 60 m is not in it',),
    )
