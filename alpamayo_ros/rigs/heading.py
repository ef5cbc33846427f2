"""Where the car goes to, as its cameras see it: the focus of expansion against the stated mount.

Between two pictures a camera moves by t and turns by R.  Every point that stands still fulfils the
epipolar constraint (Longuet-Higgins 1981)

    t . (x1 x R^T x2) = 0

with the rays x1, x2 of both pictures.  R is known from the odometry, so t, up to its length, is
where the planes of all flow lines meet: ahead of the car by the flow, whatever way the camera
looks.  Turned into base_link by the stated mount, it is the x axis where the mount is right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alpamayo_ros.rigs.flow import Rays, Tracks, focal_px
from alpamayo_ros.sensing.rig import BODY_FROM_OPTICAL, RigCamera, rotation_xyz

LEAST_TRACKS, LEAST_PAIRS = 20, 8
GUESSES = 300  # ways through two corners each (RANSAC, Fischler and Bolles 1981)
INLIER_PX = 1.0  # beside its flow line, in pixels of the followed picture
SHARE = 0.5  # of the corners that must agree: the rest are other road users
NEAR = 0.05  # sine: corners so near to the way itself do not say where it is
STEPS, NUDGE, MOST = 8, 1e-5, 0.1  # of the fit; [rad]
GROUPS = 8  # of pairs, whose spread is the standard error
Vector = Float[np.ndarray, '3']
Vectors = Float[np.ndarray, 'N 3']


@dataclass(frozen=True, slots=True)
class Heading:
    """The measured way of the car by the stated mount, over ``pairs`` pictures.

    ``yaw_rad`` to the left and ``up_rad`` of base_link's x axis; both 0 where the mount is right.
    ``error_rad``: standard error of each.  ``mount``: roll, pitch, yaw that would make both 0.
    """

    yaw_rad: float
    up_rad: float
    error_rad: float
    pairs: int
    mount: tuple[float, float, float]


def heading(
    camera: RigCamera, pairs: Sequence[tuple[Tracks, float]], seed: int = 0
) -> Heading | None:
    """From pictures while driving straight on; ``pairs``: tracks and the turn [rad] between.

    None where too few pictures show enough.
    """
    base, pixel = camera.base_from_optical[:3, :3], 1.0 / focal_px(camera)
    usable = [(one, turn) for one, turn in pairs if len(one.before) >= LEAST_TRACKS]
    if len(usable) < LEAST_PAIRS:
        return None
    one = np.concatenate([unit(found.before) for found, _ in usable])
    two = np.concatenate([unit(found.after) @ _turned(base, turn).T for found, turn in usable])
    group = np.repeat(np.arange(len(usable)) % GROUPS, [len(f.before) for f, _ in usable])
    first = _guess(one, np.cross(one, two), pixel, np.random.default_rng(seed))
    if first is None:
        return None
    ways = [base @ _refined(one[group == g], two[group == g], first, pixel) for g in range(GROUPS)]
    way = base @ _refined(one, two, first, pixel)
    error = float(np.std([_angles(w) for w in ways], axis=0, ddof=1).max()) / math.sqrt(GROUPS)
    yaw, up = _angles(way)
    return Heading(yaw, up, error, len(usable), _corrected(camera, yaw, up))


def _turned(base: Float[np.ndarray, '3 3'], turn_rad: float) -> Float[np.ndarray, '3 3']:
    """From the optical frame after a turn of the car to that before it."""
    return np.asarray(base.T @ rotation_xyz(0.0, 0.0, turn_rad) @ base)


def _angles(way: Vector) -> tuple[float, float]:
    """Yaw and elevation of a direction in base_link."""
    return math.atan2(way[1], way[0]), math.asin(max(-1.0, min(1.0, float(way[2]))))


def _guess(
    one: Vectors, planes: Vectors, pixel_rad: float, rng: np.random.Generator
) -> Vector | None:
    """The way through two corners that most others agree with; None where too few do."""
    a, b = rng.integers(0, len(planes), (2, GUESSES))
    guesses = np.cross(planes[a], planes[b])
    lengths = np.linalg.norm(guesses, axis=1)
    guesses = guesses[lengths > 0] / lengths[lengths > 0, None]
    counts = [
        int((np.abs(_beside(one, planes, g)) < INLIER_PX * pixel_rad).sum()) for g in guesses
    ]
    if not counts or max(counts) < SHARE * len(planes):
        return None
    return np.asarray(guesses[int(np.argmax(counts))])


def _refined(one: Vectors, two: Vectors, way: Vector, pixel_rad: float) -> Vector:
    """The way whose flow lines all corners that agree come to lie nearest to, by Gauss and Newton.

    A linear fit of ``planes . way`` would be drawn towards the optical axis.
    """
    planes = np.cross(one, two)
    for _ in range(STEPS):
        now = _beside(one, planes, way)
        used = np.abs(now) < INLIER_PX * pixel_rad
        across = np.linalg.svd(way[None, :])[2][1:]
        slopes = np.stack(
            [(_beside(one, planes, way + NUDGE * a) - now)[used] / NUDGE for a in across], axis=1
        )
        step = np.linalg.lstsq(slopes, -now[used], rcond=None)[0]
        way = way + np.clip(step, -MOST, MOST) @ across
        way = way / np.linalg.norm(way)
    return np.asarray(way * _sign(one[used], two[used], way))


def _aside(one: Vectors, way: Vector) -> Float[np.ndarray, 'N']:
    """Sine of the angle between each ray and the way."""
    return np.asarray(np.sqrt(np.maximum(1.0 - (one @ way) ** 2, NEAR**2)))


def _beside(one: Vectors, planes: Vectors, way: Vector) -> Float[np.ndarray, 'N']:
    """How far [rad] each corner came to lie beside the line that the way would move it along."""
    return np.asarray(planes @ way / _aside(one, way))


def _sign(one: Vectors, two: Vectors, t: Vector) -> float:
    """Corners move away from where the car goes to."""
    return 1.0 if float(np.median((two - one) @ t)) < 0 else -1.0


def unit(rays: Rays) -> Vectors:
    """Rays of length 1."""
    out = np.column_stack([rays, np.ones(len(rays))])
    return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True))


def _corrected(camera: RigCamera, yaw_rad: float, up_rad: float) -> tuple[float, float, float]:
    """Roll, pitch and yaw of the mount after the smallest turn that brings the way to x."""
    turn = rotation_xyz(0.0, -up_rad, yaw_rad).T
    body = turn @ camera.base_from_optical[:3, :3] @ BODY_FROM_OPTICAL.T
    roll, yaw = math.atan2(body[2, 1], body[2, 2]), math.atan2(body[1, 0], body[0, 0])
    return roll, math.asin(max(-1.0, min(1.0, -float(body[2, 0])))), yaw
