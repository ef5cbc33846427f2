"""The scene from above, ahead is up: road, cars, eight candidates, the plan, the driven path.

Everything is drawn in base_link at t0.  Other cars are the simulator's truth and say so: the
planner was not given them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from alpamayo_ros import palette
from alpamayo_ros.film import canvas
from alpamayo_ros.film.canvas import Canvas, Colour
from alpamayo_ros.recording.events import Box

GRASS: Colour = (20, 30, 24)
LINE: Colour = (190, 190, 180)
MIDDLE: Colour = (200, 160, 60)
PLAIN: Colour = (32, 37, 44)  # ground of which nothing is known
DASH_M, GAP_M = 3.0, 6.0
SMALL_M, RING_PX = 1.3, 10
REACH_M = 60.0  # road further away is outside the picture


@dataclass(frozen=True, slots=True)
class Road:
    """A two-lane road along the ego's lane centre; offsets are to the left of it [m]."""

    centre: Float[np.ndarray, 'n 2']
    right_m: float = -1.75
    middle_m: float = 1.75
    left_m: float = 5.25


@dataclass(frozen=True, slots=True)
class Car:
    """The ego's box: length, width and how far its middle lies ahead of the rear axle [m]."""

    length_m: float = 4.5
    width_m: float = 1.8
    centre_m: float = 1.35


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn.  ``pose``: x, y, heading of base_link in odom; paths are in base_link.

    ``driven``: in odom, what lies behind the car.  ``truth``: what it drove afterwards, for
    those who look back at a drive.
    """

    pose: tuple[float, float, float]
    road: Road | None = None
    boxes: Sequence[Box] = ()
    candidates: Sequence[Float[np.ndarray, 'p 2']] = ()
    costs: Sequence[float | None] = ()
    chosen: Float[np.ndarray, 'p 2'] | None = None
    driven: Float[np.ndarray, 'n 2'] = field(default_factory=lambda: np.zeros((0, 2)))
    stop: bool = False
    truth: Float[np.ndarray, 'm 2'] = field(default_factory=lambda: np.zeros((0, 2)))


class TopView:
    """Draws scenes into ``width`` x ``height`` pixels, from ``behind_m`` to ``ahead_m``."""

    def __init__(
        self, width: int, height: int, ahead_m: float = 44.0, behind_m: float = 11.0
    ) -> None:
        self.width, self.height, self.ahead_m = width, height, ahead_m
        self.scale = height / (ahead_m + behind_m)
        self.origin = np.array([width / 2, height - behind_m * self.scale])

    def pixels(self, points: Float[np.ndarray, 'n 2']) -> Float[np.ndarray, 'n 2']:
        """Pixels of points in base_link."""
        forward, left = points[:, 0], points[:, 1]
        return self.origin - self.scale * np.stack([left, forward], 1)

    def draw(self, scene: Scene, car: Car) -> Canvas:
        """A new picture of ``scene``."""
        out: Canvas = np.empty((self.height, self.width, 3), np.uint8)
        out[:] = PLAIN if scene.road is None else GRASS
        if scene.road is not None:
            self._road(out, scene.road, scene.pose)
        self._range_marks(out)
        canvas.polyline(out, self.pixels(to_base(scene.driven, scene.pose)), palette.DRIVEN, 3)
        self._paths(out, scene)
        small = [box for box in scene.boxes if max(box.length_m, box.width_m) < SMALL_M]
        for box in scene.boxes:
            self._car(out, box_corners(box, scene.pose), palette.OTHER)
        half = np.array([car.length_m / 2, car.width_m / 2])
        corners = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) * half + [car.centre_m, 0.0]
        self._car(out, corners, palette.EGO)
        for box in small:  # also under the own car, where it has touched them
            self._car(out, box_corners(box, scene.pose), palette.OTHER)
            self._ring(out, box, scene.pose)
        return out

    def _road(self, out: Canvas, road: Road, pose: tuple[float, float, float]) -> None:
        centre = to_base(road.centre, pose)
        near = np.hypot(centre[:, 0], centre[:, 1]) < REACH_M
        centre = centre[near]
        if len(centre) < 3:
            return
        right, middle, left = (
            offset(centre, d) for d in (road.right_m, road.middle_m, road.left_m)
        )
        for i in range(len(centre) - 1):  # quads: a bend must not fill itself
            quad = np.array([right[i], right[i + 1], left[i + 1], left[i]])
            canvas.polygon(out, self.pixels(quad), palette.ROAD)
        for edge in (right, left):
            canvas.polyline(out, self.pixels(edge), LINE, 1)
        first = int(np.flatnonzero(near)[0])
        arc = arc_length(road.centre)[first : first + len(middle)]
        dash = np.floor(arc / (DASH_M + GAP_M))
        on = arc % (DASH_M + GAP_M) < DASH_M
        for number in np.unique(dash[on]):
            canvas.polyline(out, self.pixels(middle[on & (dash == number)]), MIDDLE, 2)

    def _range_marks(self, out: Canvas) -> None:
        for metres in range(10, math.ceil(self.ahead_m), 10 if self.ahead_m < 60 else 20):
            y = int(self.origin[1] - metres * self.scale)
            if y > 12:
                canvas.text(out, f'{metres} m', (self.width - 8, y - 7), 11, canvas.MUTED,
                            anchor='right')  # fmt: skip

    def _paths(self, out: Canvas, scene: Scene) -> None:
        known = [c for c in scene.costs if c is not None]
        low, high = (min(known), max(known)) if known else (0.0, 0.0)
        order = sorted(range(len(scene.candidates)), key=lambda i: -cost_at(scene.costs, i))
        for i in order:
            cost = scene.costs[i] if i < len(scene.costs) else None
            line = np.vstack([[0.0, 0.0], scene.candidates[i]])
            canvas.polyline(out, self.pixels(line), palette.of_cost(cost, low, high), 2)
        if scene.chosen is not None and len(scene.chosen):
            colour = palette.STOP if scene.stop else palette.PLAN
            points = self.pixels(np.vstack([[0.0, 0.0], scene.chosen]))
            canvas.polyline(out, points, (10, 20, 14), 7)
            canvas.polyline(out, points, colour, 4)
        if len(scene.truth):
            canvas.polyline(
                out, self.pixels(np.vstack([[0.0, 0.0], scene.truth])), palette.TRUTH, 2
            )

    def _ring(self, out: Canvas, box: Box, pose: tuple[float, float, float]) -> None:
        """Around people and things on the road, whom a few pixels would hide, with their kind."""
        (middle,) = self.pixels(to_base(np.array([[box.x_m, box.y_m]]), pose))
        turn = np.linspace(0.0, 2 * np.pi, 24)
        ring = middle + RING_PX * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        canvas.polyline(out, ring, palette.OTHER, 2)
        words, off = box.kind.replace('_', ' '), RING_PX + 4
        x, y = round(middle[0]), round(middle[1]) - 7
        if x + off + canvas.text_width(words, 11) <= self.width:
            canvas.text(out, words, (x + off, y), 11, palette.OTHER)
        else:  # at the picture's right edge: on the other side
            canvas.text(out, words, (x - off, y), 11, palette.OTHER, anchor='right')

    def _car(self, out: Canvas, corners: Float[np.ndarray, '4 2'], colour: Colour) -> None:
        points = self.pixels(corners)
        canvas.polygon(out, points, colour)
        dark = (colour[0] // 3, colour[1] // 3, colour[2] // 3)
        nose = points[:2] * 0.72 + points[[3, 2]] * 0.28
        tail = points[:2] * 0.50 + points[[3, 2]] * 0.50
        inner = np.array([nose[0], nose[1], tail[1], tail[0]])
        middle = inner.mean(0)
        canvas.polygon(out, middle + (inner - middle) * 0.8, dark)


def cost_at(costs: Sequence[float | None], index: int) -> float:
    """The cost of a candidate, infinite where there is none."""
    cost = costs[index] if index < len(costs) else None
    return math.inf if cost is None else cost


def to_base(
    points: Float[np.ndarray, 'n 2'], pose: tuple[float, float, float]
) -> Float[np.ndarray, 'n 2']:
    """Points in odom as seen from ``pose``: x forward, y left."""
    c, s = math.cos(pose[2]), math.sin(pose[2])
    rotation = np.array([[c, s], [-s, c]])
    return np.asarray((points.reshape(-1, 2) - np.array(pose[:2])) @ rotation.T)


def box_corners(box: Box, pose: tuple[float, float, float]) -> Float[np.ndarray, '4 2']:
    """Front left, front right, rear right, rear left of a box, in base_link at ``pose``."""
    c, s = math.cos(box.heading_rad), math.sin(box.heading_rad)
    half = np.array([box.length_m / 2, box.width_m / 2])
    local = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) * half
    world = local @ np.array([[c, s], [-s, c]]) + [box.x_m, box.y_m]
    return to_base(world, pose)


def offset(line: Float[np.ndarray, 'n 2'], left_m: float) -> Float[np.ndarray, 'n 2']:
    """A line shifted to its left."""
    direction = np.gradient(line, axis=0)
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
    return np.asarray(line + left_m * np.stack([-direction[:, 1], direction[:, 0]], 1))


def arc_length(line: Float[np.ndarray, 'n 2']) -> Float[np.ndarray, ' n']:
    """Distance along a line from its first point [m]."""
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])
