"""A small made-up scene for the tests of logs: a straight road of two lanes to the east."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from alpamayo_ros.datasets.log_build import Material, Seen, build
from alpamayo_ros.datasets.log_format import Kind, Log, Provenance, write_log
from alpamayo_ros.datasets.log_map import Drawn, Light, Yielding
from alpamayo_ros.simulation.scenario import Scenario, Traffic

PROVENANCE = Provenance(source='made up for a test', licence='CC0')


def driven(
    name: str,
    x_m: float,
    speed_mps: float,
    y_m: float = 0.0,
    kind: Kind = 'car',
    seconds: float = 8.0,
    heading_rad: float = 0.0,
    start_s: float = 0.0,
    rate_hz: float = 10.0,
) -> Seen:
    """Somebody at constant speed."""
    t = np.arange(0, seconds + 1e-6, 1 / rate_hz)
    way = speed_mps * t[:, None] * [np.cos(heading_rad), np.sin(heading_rad)]
    small = kind in ('pedestrian', 'cone')
    size = (0.6, 0.6) if small else (4.5, 1.8)
    heading = np.full(len(t), heading_rad)
    return Seen(name, kind, *size, start_s + t, way + [x_m, y_m], heading)


def lane(y_m: float, back: bool = False) -> Drawn:
    """A lane along the road."""
    x = np.array([-60.0, 0.0, 300.0])
    xy = np.stack([x, np.full(3, y_m)], 1)
    return Drawn('lane_centre', xy[::-1] if back else xy, f'lane{y_m}', 3.5)


def scene(
    agents: tuple[Seen, ...] = (),
    speed_mps: float = 8.0,
    lines: tuple[Drawn, ...] = (),
    signals: tuple[Light, ...] = (),
    extend_s: float = 0.0,
    yields: tuple[Yielding, ...] = (),
) -> Log:
    """A log of 8 s with the ego from the origin to the east."""
    lines = lines or (lane(0.0), lane(3.5, back=True))
    ego = driven('ego', 0.0, speed_mps)
    return build(Material('made_up', PROVENANCE, ego, agents, lines, signals, yields), extend_s)


def scenario(log: Log, folder: Path, **traffic: object) -> Scenario:
    """A scenario that drives a log; the planner drives from the first step."""
    path = folder / 'scene.json'
    write_log(log, path)
    return Scenario(
        name='made_up',
        description='a test',
        map='log',
        verdict='safe',
        duration_s=30,
        goal_m=500,
        traffic=Traffic.model_validate({'log': str(path), 'lead_in_s': 0.0, **traffic}),
    )
