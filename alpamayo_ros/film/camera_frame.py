"""A camera's picture with the plan on the road in front of it, as the car would cover it.

The plan is a path of the rear axle on flat ground; hills and the body's pitch are not known here
and shift it.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, UInt8

from alpamayo_ros import palette
from alpamayo_ros.film import canvas
from alpamayo_ros.film.canvas import Canvas, Colour
from alpamayo_ros.film.top_view import Car, Scene, cost_at, offset
from alpamayo_ros.sensing.projection import on_ground, project
from alpamayo_ros.sensing.rig import RigCamera

SHADE = 0.38  # opacity of the strip that the car would cover
STEP_M = 0.5  # a line is projected in pieces this short: a lens bends it
WIDTH = 960  # pictures are drawn at this width, so that lines are equally thick on all
SAME_ASPECT = 0.02


def draw(
    image: UInt8[np.ndarray, 'h w 3'], camera: RigCamera, scene: Scene, car: Car
) -> UInt8[np.ndarray, 'H W 3'] | None:
    """``image`` (RGB) at ``WIDTH`` with candidates, plan and what was driven.

    All of them in base_link at the time of the image; None where the image has not the shape that
    the rig says.
    """
    aspect = image.shape[1] / image.shape[0] / (camera.width / camera.height)
    if abs(aspect - 1) > SAME_ASPECT:
        return None
    out = canvas.resized(image, WIDTH)
    eye = _Eye(camera, out)
    known = [c for c in scene.costs if c is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    for i in sorted(range(len(scene.candidates)), key=lambda i: -cost_at(scene.costs, i)):
        cost = scene.costs[i] if i < len(scene.costs) else None
        eye.line(_from_car(scene.candidates[i]), palette.of_cost(cost, low, high), 1)
    if scene.chosen is not None and len(scene.chosen):
        colour = palette.STOP if scene.stop else palette.PLAN
        eye.strip(_from_car(scene.chosen), car.width_m, colour)
        eye.line(_from_car(scene.chosen), colour, 3)
    eye.line(_from_car(scene.truth), palette.TRUTH, 2)
    return out


class _Eye:
    """Draws what lies on the ground into the picture of one camera."""

    def __init__(self, camera: RigCamera, out: Canvas) -> None:
        self.camera, self.out = camera, out
        self.scale = np.array([out.shape[1] / camera.width, out.shape[0] / camera.height])

    def pixels(
        self, points: Float[np.ndarray, 'n 2']
    ) -> tuple[Float[np.ndarray, 'n 2'], Bool[np.ndarray, ' n']]:
        """Pixels of the picture, and which points can be seen."""
        found, seen = project(self.camera, on_ground(points))
        found = (found + 0.5) * self.scale - 0.5
        return found, seen & (np.abs(found) < 4 * max(self.out.shape)).all(axis=1)

    def line(self, points: Float[np.ndarray, 'n 2'], colour: Colour, width: int) -> None:
        """A line with a dark edge, interrupted where it cannot be seen."""
        pixels, seen = self.pixels(points)
        ends = np.flatnonzero(np.diff(np.concatenate([[0], seen.astype(int), [0]])))
        for first, end in ends.reshape(-1, 2):
            canvas.polyline(self.out, pixels[first:end], (10, 20, 14), width + 2)
            canvas.polyline(self.out, pixels[first:end], colour, width)

    def strip(self, points: Float[np.ndarray, 'n 2'], width_m: float, colour: Colour) -> None:
        """The ground that a car of ``width_m`` covers, shaded."""
        if len(points) < 2:
            return
        (left, seen_left), (right, seen_right) = (
            self.pixels(offset(points, side * width_m / 2)) for side in (1, -1)
        )
        shaded = self.out.copy()
        for i in np.flatnonzero((seen_left & seen_right)[:-1] & (seen_left & seen_right)[1:]):
            quad = np.array([left[i], left[i + 1], right[i + 1], right[i]])
            canvas.polygon(shaded, quad, colour)
        self.out[:] = (self.out * (1 - SHADE) + shaded * SHADE).round().astype(np.uint8)


def _from_car(path: Float[np.ndarray, 'n 2']) -> Float[np.ndarray, 'm 2']:
    """``path`` from the rear axle on, in steps of ``STEP_M``; standing still has one point."""
    if not len(path):
        return path
    points = np.vstack([[0.0, 0.0], path])
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    points = points[np.concatenate([[True], steps > 1e-3])]
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = np.linspace(0.0, arc[-1], max(1, round(arc[-1] / STEP_M)) + 1) if arc[-1] else arc
    return np.stack([np.interp(at, arc, points[:, i]) for i in (0, 1)], axis=1)
