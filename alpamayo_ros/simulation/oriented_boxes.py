"""Oriented boxes: do they touch, and where on the ego."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the ground: centre, heading, extent along and across it."""

    x_m: float
    y_m: float
    heading_rad: float
    length_m: float
    width_m: float

    def corners(self) -> Float[np.ndarray, '4 2']:
        """Counter-clockwise from the front left."""
        c, s = math.cos(self.heading_rad), math.sin(self.heading_rad)
        a, b = self.length_m / 2, self.width_m / 2
        local = np.array([[a, b], [-a, b], [-a, -b], [a, -b]])
        world: np.ndarray = local @ np.array([[c, s], [-s, c]]) + [self.x_m, self.y_m]
        return world

    def local(self, xy: Float[np.ndarray, 'n 2']) -> Float[np.ndarray, 'n 2']:
        """World points in the box's own axes (x along its heading)."""
        c, s = math.cos(self.heading_rad), math.sin(self.heading_rad)
        local: np.ndarray = (xy - [self.x_m, self.y_m]) @ np.array([[c, -s], [s, c]])
        return local

    def contains(self, xy: Float[np.ndarray, 'n 2']) -> np.ndarray:
        """Which points lie inside."""
        inside: np.ndarray = (np.abs(self.local(xy)) <= [self.length_m / 2, self.width_m / 2]).all(
            1
        )
        return inside


def overlap(a: Box, b: Box) -> bool:
    """Separating-axis test of two boxes."""
    if (
        math.hypot(a.x_m - b.x_m, a.y_m - b.y_m)
        > (a.length_m + a.width_m + b.length_m + b.width_m) / 2
    ):
        return False
    for one, other in ((a, b), (b, a)):
        p = one.local(other.corners())
        half = np.array([one.length_m / 2, one.width_m / 2])
        if (p.min(0) > half).any() or (p.max(0) < -half).any():
            return False
    return True


def contact_ahead(ego: Box, other: Box) -> bool:
    """True where two touching boxes touch on the ego's front half."""
    mine, theirs = ego.corners(), other.corners()
    points = np.concatenate([mine[other.contains(mine)], theirs[ego.contains(theirs)]])
    if not len(points):
        points = np.array([[other.x_m, other.y_m]])
    return bool(ego.local(points)[:, 0].mean() > 0)
