"""The shape of a CommonRoad obstacle as one box, and what of it had to be assumed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float

USUAL_M = (4.5, 1.8)  # of an obstacle without a shape
SMALLEST_M, LONGEST_M, WIDEST_M = 0.1, 30.0, 6.0  # LONGEST_M, WIDEST_M: of the log format


@dataclass(frozen=True, slots=True)
class Shape:
    """A box whose middle lies at ``x_m``, ``y_m`` in the obstacle's own frame.

    ``assumed``: in what it differs from what the file says, '' where in nothing.
    """

    length_m: float
    width_m: float
    x_m: float = 0.0
    y_m: float = 0.0
    turn_rad: float = 0.0
    assumed: str = ''

    def middles(self, poses: Float[np.ndarray, 'n 3']) -> Float[np.ndarray, 'n 3']:
        """Places and headings of the box for those of the obstacle."""
        c, s = np.cos(poses[:, 2]), np.sin(poses[:, 2])
        x = poses[:, 0] + c * self.x_m - s * self.y_m
        y = poses[:, 1] + s * self.x_m + c * self.y_m
        return np.stack([x, y, poses[:, 2] + self.turn_rad], 1)


def read_shape(obstacle: ElementTree.Element) -> Shape | None:
    """One rectangle as it is; of anything else the box around it; None where that is too large.

    ValueError for a number that is none.
    """
    parts = [part for part in obstacle.iterfind('shape/*')]
    if not parts:
        return Shape(*USUAL_M, assumed=f'without a shape: {USUAL_M[0]} m x {USUAL_M[1]} m')
    if len(parts) == 1 and parts[0].tag == 'rectangle':
        length, width, x, y, turn = _rectangle(parts[0])
        shape = Shape(length, width, x, y, turn)
    else:
        shape = _around([point for part in parts for point in outline(part)])
    fits = SMALLEST_M <= min(shape.length_m, shape.width_m)
    return shape if fits and shape.length_m <= LONGEST_M and shape.width_m <= WIDEST_M else None


def _around(points: Sequence[tuple[float, float]]) -> Shape:
    """The box around points, its length along their larger extent."""
    table = np.array(points).reshape(-1, 2)
    if not len(table):
        return Shape(0.0, 0.0)
    low, high = table.min(0), table.max(0)
    (x, y), (length, width) = (low + high) / 2, high - low
    words = 'a shape of another kind: the box around it'
    if width > length:
        return Shape(float(width), float(length), float(x), float(y), math.pi / 2, words)
    return Shape(float(length), float(width), float(x), float(y), 0.0, words)


def outline(part: ElementTree.Element) -> list[tuple[float, float]]:
    """Points that span a part of a shape; none for a kind that is not known."""
    if part.tag == 'polygon':
        return [_point(p) for p in part.iterfind('point')]
    if part.tag == 'circle':
        radius, (x, y) = _number(part, 'radius', '0'), _centre(part)
        return [(x - radius, y - radius), (x + radius, y + radius)]
    if part.tag != 'rectangle':
        return []
    length, width, x, y, turn = _rectangle(part)
    c, s = math.cos(turn), math.sin(turn)
    corners = [(a * length / 2, b * width / 2) for a in (-1, 1) for b in (-1, 1)]
    return [(x + c * a - s * b, y + s * a + c * b) for a, b in corners]


def _rectangle(part: ElementTree.Element) -> tuple[float, float, float, float, float]:
    size = _number(part, 'length', '0'), _number(part, 'width', '0')
    return (*size, *_centre(part), _number(part, 'orientation', '0'))


def _centre(part: ElementTree.Element) -> tuple[float, float]:
    centre = part.find('center')
    return (0.0, 0.0) if centre is None else _point(centre)


def _point(element: ElementTree.Element) -> tuple[float, float]:
    return _number(element, 'x', ''), _number(element, 'y', '')


def _number(element: ElementTree.Element, name: str, default: str) -> float:
    value = float(element.findtext(name, default))
    if not math.isfinite(value):
        raise ValueError(f'{element.tag} with {name} {value}')
    return value
