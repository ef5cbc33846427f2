"""Drives and pictures with the figures they had, and how far other processors may be off.

``python test/support/pinned.py`` writes the stored figures anew; the commit says why they moved.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.drive.drive import rollout
from alpamayo_ros.simulation.drive.planners import ExpertPlanner, StraightPlanner
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.worlds.open_world import open_world

STORE = Path(__file__).resolve().parents[1] / 'unit' / 'simulation' / 'drive'
PLANNERS = {'expert': ExpertPlanner, 'straight': StraightPlanner}
DURATION_S = 12.0
KEYS = """name seed mode duration_s distance_m collisions_at_fault offroad_s progress score end
mean_offset_m max_offset_m collisions stops restarts left_lane gap_m moved_on right plans
fallback_plans first_plan_s red_lights""".split()
DRIVES = (
    ('winding_road', 3, 'expert'),
    ('winding_road', 0, 'straight'),
    ('stopped_car', 101, 'expert'),
    ('stopped_car', 0, 'straight'),
    ('slowing_leader', 3, 'expert'),
    ('slowing_leader', 101, 'expert'),
    ('town_drive', 3, 'expert'),
    ('town_drive', 101, 'expert'),
)
PICTURES = (('winding_road', 4), ('slowing_leader', 2), ('town_drive', 3))
CELLS = (4, 7)  # of a picture, down and across
# Last bits differ between processors and grow over 12 s of a closed loop. With the instructions of
# other processors (tools/processors) no figure moved on an AMD EPYC of family 25.
DRIVE_TOLERANCE = 2e-3  # m, m/s2, rad and the row's figures, which are rounded to 1e-3
PICTURE_TOLERANCE = 0.5  # grey levels, of the mean of a cell


def drive(name: str, seed: int, planner: str) -> dict[str, Any]:
    """Row and, each second, pose (x, y) [m] and command of a drive of 12 s."""
    path: list[list[float]] = []

    def watch(cycle: Any) -> None:
        numbers = (cycle.ego.x_m, cycle.ego.y_m, *cycle.command)
        path.append([round(float(number), 5) for number in numbers])

    scenario = load_scenario(name).model_copy(update={'duration_s': DURATION_S})
    row = rollout(scenario, seed, PLANNERS[planner](load_profile('nano')), watch=watch).as_dict()
    return {'row': {k: row[k] for k in KEYS}, 'path': [*path[::10], path[-1]]}


def pictures(name: str, seed: int) -> dict[str, list[float]]:
    """Mean colours of the cells of each camera's first picture, row by row."""
    world = open_world(load_scenario(name), seed)
    images = world.images()
    world.close()
    return {camera: cell_means(image) for camera, image in sorted(images.items())}


def cell_means(image: np.ndarray) -> list[float]:
    """RGB means of CELLS equal cells."""
    down, across = CELLS
    h, w = image.shape[0] // down, image.shape[1] // across
    whole = image[: h * down, : w * across].reshape(down, h, across, w, 3)
    return [round(float(x), 2) for x in whole.mean((1, 3)).ravel()]


def differences(found: Any, stored: Any, tolerance: float, where: str = '') -> Iterator[str]:
    """Places at which two trees differ: numbers with a fraction by more than ``tolerance``.

    Texts, flags, counts and shapes are compared as they are; NaN equals nothing.
    """
    if isinstance(stored, dict) and isinstance(found, dict) and stored.keys() == found.keys():
        for key in stored:
            yield from differences(found[key], stored[key], tolerance, f'{where}.{key}')
    elif isinstance(stored, list) and isinstance(found, list) and len(stored) == len(found):
        for i, pair in enumerate(zip(found, stored, strict=True)):
            yield from differences(*pair, tolerance, f'{where}[{i}]')
    elif isinstance(stored, float) and isinstance(found, float):
        if not math.isclose(found, stored, rel_tol=0.0, abs_tol=tolerance):
            yield f'{where}: {found} for {stored}'
    elif type(found) is not type(stored) or found != stored:
        yield f'{where}: {found!r} for {stored!r}'


def key(parts: tuple[Any, ...]) -> str:
    """Name of a drive or of pictures in the stored files."""
    return '-'.join(str(part) for part in parts)


def stored(name: str) -> dict[str, Any]:
    """``drives`` or ``pictures`` as they were."""
    found: dict[str, Any] = json.loads((STORE / f'pinned_{name}.json').read_text())
    return found


def write(name: str, tree: dict[str, Any]) -> None:
    """A file with a line for each list of numbers."""
    lines = []
    for what, parts in tree.items():
        inner = [f'  {json.dumps(k)}: {json.dumps(v)}' for k, v in parts.items()]
        lines.append(f' {json.dumps(what)}: {{\n' + ',\n'.join(inner) + '\n }')
    (STORE / f'pinned_{name}.json').write_text('{\n' + ',\n'.join(lines) + '\n}\n')


if __name__ == '__main__':
    write('drives', {key(parts): drive(*parts) for parts in DRIVES})
    write('pictures', {key(parts): pictures(*parts) for parts in PICTURES})
