"""What shines in a town after dark: windows and street lamps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from alpamayo_ros.simulation.scenery.mesh import MeshBuilder

WINDOW_M, FLOOR_M, FIRST_M = 2.4, 3.0, 1.2
PANE_M = (1.2, 1.1)
AT_HOME = 0.28  # share of the windows that are lit
GLOWS = np.array([[1.0, 0.78, 0.42], [0.95, 0.85, 0.62], [0.7, 0.78, 0.9]])
LAMP = np.array([1.0, 0.82, 0.5])
LAMPS_M, LAMP_HIGH_M = 28.0, 5.2


def light_up(
    builder: MeshBuilder,
    houses: Float[np.ndarray, 'n 6'],
    sidewalks: Sequence[Float[np.ndarray, 'm 2']],
    seed: int,
) -> None:
    """Add lit windows to houses (x, y, yaw, length, width, height) and lamps to sidewalks."""
    rng = np.random.default_rng([seed, 23])
    rows = [w for house in houses for w in _windows(house, rng)]
    if rows:
        w = np.array(rows)
        glow = GLOWS[rng.integers(0, len(GLOWS), len(w))] * rng.uniform(0.55, 1.0, (len(w), 1))
        for side in (-0.5, 0.5):
            builder.triangles(_panes(w, side), np.tile(glow, (2, 1)), (0, 0, 1), 0.0, True)
    places = np.concatenate([_along(line) for line in sidewalks])
    yaw = np.zeros(len(places))
    builder.boxes(places, yaw, 0.1, LAMP_HIGH_M, (0.12, 0.12), np.array([0.3, 0.3, 0.32]))
    top = LAMP_HIGH_M + 0.25
    builder.boxes(places, yaw, LAMP_HIGH_M, top, (0.4, 0.4), LAMP, 1.0, 0.0, True)


def _panes(w: Float[np.ndarray, 'n 5'], side: float) -> Float[np.ndarray, 't 3 3']:
    """Two triangles for each window on one side of its house."""
    along = np.stack([np.cos(w[:, 2]), np.sin(w[:, 2])], 1) * PANE_M[0] / 2
    middle = w[:, :2] + np.stack([-np.sin(w[:, 2]), np.cos(w[:, 2])], 1) * w[:, 3:4] * side
    low, high = w[:, 4:5], w[:, 4:5] + PANE_M[1]
    a, b = np.concatenate([middle - along, low], 1), np.concatenate([middle + along, low], 1)
    c, d = np.concatenate([middle + along, high], 1), np.concatenate([middle - along, high], 1)
    return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def _windows(house: np.ndarray, rng: np.random.Generator) -> list[tuple[float, ...]]:
    """Lit windows: x, y, yaw, width of the house and a little, height of the sill."""
    x, y, yaw, length, width, height = (float(v) for v in house)
    out: list[tuple[float, ...]] = []
    for floor in np.arange(FIRST_M, height - 1.6, FLOOR_M):
        for along in np.arange(-length / 2 + 1.5, length / 2 - 1.0, WINDOW_M):
            if rng.random() < AT_HOME:
                place = (x + float(along * np.cos(yaw)), y + float(along * np.sin(yaw)))
                out.append((*place, yaw, width * 1.008, float(floor) + 0.1))
    return out


def _along(line: Float[np.ndarray, 'm 2']) -> Float[np.ndarray, 'k 2']:
    """Places every 28 m on the middle of a sidewalk."""
    arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    grid = np.arange(LAMPS_M / 2, arc[-1], LAMPS_M)
    return np.stack([np.interp(grid, arc, line[:, 0]), np.interp(grid, arc, line[:, 1])], 1)
