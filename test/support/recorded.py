"""A recorded drive made by hand: straight on at 5 m/s, braking to a stop, ten plans a second."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np

from alpamayo_ros.recording import events, scene_facts
from alpamayo_ros.recording.recording import RUN, RunInfo, Writer

START_NS = 1_000_000_000_000
STEP_NS = 100_000_000
POINTS = 30  # of a path; enough for a look two seconds ahead
CAR_REAR_M, FRONT_M = 37.75, 3.8  # of the standing car; of ours, from the rear axle
CAMERAS = ('front', 'front_left', 'front_right', 'rear_left', 'rear', 'rear_right')


def speed_at(step: int) -> float:
    """5 m/s for 3 s, then -2 m/s2."""
    return max(0.0, 5.0 - 0.2 * max(0, step - 30))


def write(folder: Path, mode: str = 'lockstep', steps: int = 90, free_age_ms: int = 120) -> Path:
    """Record ``steps`` timesteps into ``folder``."""
    writer = Writer(folder)
    info = RunInfo('stopped_car', 7, mode, 'onnx', 'a car stands ahead')
    (folder / RUN).write_text(json.dumps(asdict(info)))
    writer.write(events.Route(0, [[float(x), 0.0] for x in range(0, 60, 2)]))
    picture = np.full((64, 112, 3), (200, 120, 40), np.uint8)  # BGR of a blue sky
    data = cv2.imencode('.jpg', picture)[1].tobytes()
    x, true = 0.0, []
    for step in range(steps):
        t0, wall, speed = START_NS + step * STEP_NS, step * STEP_NS, speed_at(step)
        x += 0.1 * speed
        for camera in CAMERAS:
            writer.image(wall, camera, t0, data)
        writer.write(events.Ego(wall, t0, x, 0.0, 0.0, speed, 0.0))
        box = events.Box(1, 'car', 40.0, 0.0, 0.0, 0.0, 4.5, 1.8)
        writer.write(events.Objects(wall, t0, 'ground_truth', [box]))
        true.append(facts(t0, CAR_REAR_M - FRONT_M - x, steps - step > 60 or steps > 55))
        for event in plan_events(wall, t0, x, speed, step, free_age_ms):
            writer.write(event)
    writer.close()
    scene_facts.write(folder, true)
    return folder


def facts(t0_ns: int, gap_m: float, told: bool) -> scene_facts.SceneFacts:
    """What the simulator keeps; ``told``: the drive ends standing or goes on for 6 s."""
    lead = ['present', 'standing']
    true: dict[str, list[str]] = {'light': [], 'lead': lead, 'pedestrian': []}
    true |= {'manoeuvre': ['stop']} if told else {}
    return scene_facts.SceneFacts(t0_ns, true, {name: [] for name in true}, 0.0, gap_m)


def plan_events(
    wall: int, t0: int, x: float, speed: float, step: int, age_ms: int
) -> list[events.Event]:
    """What the graph says about one t0."""
    ahead = [speed * 0.1 * (i + 1) for i in range(POINTS)]
    paths = [[ahead, [0.01 * k * i for i in range(POINTS)]] for k in range(8)]
    costs: list[float | None] = [float(k) for k in range(7)] + [None]
    late = step == 20
    brakes = step > 30
    pose = [x, 0.0, 0.0]
    age = age_ms * 1_000_000
    return [
        events.Candidates(
            wall, t0, t0, 0, 'onnx', 'nano', 'ab' * 32, '', [], pose, paths, costs, 0
        ),
        events.Plan(
            wall, 'trajectory', t0, step + 1, t0, t0, t0 + 5 * STEP_NS, 0, 2, 0, pose, ahead,
            [0.0] * POINTS, [speed] * POINTS, -2.0 if brakes else 0.0, 0.1,
        ),
        events.Plan(wall, 'reference', t0 + age, step + 1, t0, t0, t0, 0, 2, 0, pose),
        events.Health(
            wall, t0, t0, 2, 'armed', [], [], math.nan, step, 0, 0, 0, 0, 'onnx'
        ),
        events.Timing(wall, t0, {'encode': 20.0, 'reason': 30.0 + step}, 150.0 if late else 60.0,
                      late),
        events.Words(
            wall, t0, step + 1, 'a car ahead' if brakes else 'a free road', 'clear',
            'I brake because a car stands ahead' if brakes else 'I keep my speed', 'drive',
            1.0, '',
        ),
    ]  # fmt: skip
