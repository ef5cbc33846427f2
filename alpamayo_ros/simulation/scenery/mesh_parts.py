"""Solids that agents are put together from: rows (x, y, z, r, g, b, material), x forward, metres.

Faces are shaded once for all by the side they look to, because agents turn and the sun does not.
"""

from __future__ import annotations

import math

PLAIN = 0.0  # its own colour
HEAD = 0.25  # its own colour; shines at night
SHINY = 0.4  # its own colour; throws headlights back
PAINT = 1.0  # the agent's colour
BRAKE = 2.0  # dark red, bright while braking
BLUE_LEFT, BLUE_RIGHT = 3.0, 4.0  # two lamps that flash in turn
SIDE_SHADE = (0.75, 0.85, 0.65, 0.8)  # right, front, left, rear
GLASS, RUBBER, BLACK = (0.1, 0.13, 0.16), (0.04, 0.04, 0.04), (0.05, 0.05, 0.055)
STEEL = (0.45, 0.46, 0.48)

Rows = list[list[float]]
Range = tuple[float, float]
Rgb = tuple[float, ...]


def frustum(
    out: Rows,
    x: Range,
    z: Range,
    half_width: Range,
    x_top: Range,
    colour: Rgb,
    material: float,
    y_m: float = 0.0,
) -> None:
    """A box whose top rectangle may be smaller than its bottom one; its middle at ``y_m``."""
    (y, y_top), ((x0, x1), (u0, u1)) = half_width, (x, x_top)
    low = [(x0, -y, z[0]), (x1, -y, z[0]), (x1, y, z[0]), (x0, y, z[0])]
    top = [(u0, -y_top, z[1]), (u1, -y_top, z[1]), (u1, y_top, z[1]), (u0, y_top, z[1])]
    rows: Rows = []
    for i in range(4):
        j = (i + 1) % 4
        shaded = [c * SIDE_SHADE[i] for c in colour]
        rows.extend(
            [*q, *shaded, material] for q in (low[i], low[j], top[j], low[i], top[j], top[i])
        )
    rows.extend([*q, *colour, material] for q in (top[0], top[1], top[2], top[0], top[2], top[3]))
    out.extend([r[0], r[1] + y_m, *r[2:]] for r in rows)


def box(out: Rows, x: Range, y: Range, z: Range, colour: Rgb, material: float = PLAIN) -> None:
    """An upright box."""
    half, middle = (y[1] - y[0]) / 2, (y[0] + y[1]) / 2
    frustum(out, x, z, (half, half), x, colour, material, middle)


def plate(
    out: Rows, x: float, y: float, z: float, half: Range, colour: Rgb, material: float
) -> None:
    """An upright rectangle across the agent; ``half``: its extent to the side and up."""
    for a, b in ((-1, -1), (1, -1), (1, 1), (-1, -1), (1, 1), (-1, 1)):
        out.append([x, y + a * half[0], z + b * half[1], *colour, material])


def side_plate(out: Rows, x: Range, y: float, z: Range, colour: Rgb, material: float) -> None:
    """An upright rectangle along the agent."""
    a, b, c, d = (x[0], z[0]), (x[1], z[0]), (x[1], z[1]), (x[0], z[1])
    out.extend([q[0], y, q[1], *colour, material] for q in (a, b, c, a, c, d))


def disc(
    out: Rows, x: float, y: Range, z: float, radius: Range, colour: Rgb, sides: int = 10
) -> None:
    """A wheel across the agent: two sides from ``radius[0]`` to ``radius[1]``, and its tread."""
    inner, outer = radius
    turn = [2 * math.pi * k / sides for k in range(sides + 1)]
    for a, b in zip(turn, turn[1:], strict=False):
        rim = [(x + r * math.cos(t), z + r * math.sin(t)) for t in (a, b) for r in (inner, outer)]
        (i0, o0), (i1, o1) = rim[:2], rim[2:]
        for side in dict.fromkeys(y):
            corners = (i0, o0, o1, i0, o1, i1) if inner else (i0, o0, o1)
            out.extend([q[0], side, q[1], *colour, PLAIN] for q in corners)
        if y[0] == y[1]:
            continue
        lit = [c * (0.75 + 0.5 * max(math.sin((a + b) / 2), 0.0)) for c in colour]
        ring = [(o0, y[0]), (o1, y[0]), (o1, y[1]), (o0, y[0]), (o1, y[1]), (o0, y[1])]
        out.extend([r[0], w, r[1], *lit, PLAIN] for r, w in ring)


def tube(
    out: Rows, at: tuple[float, float], z: Range, radius: Range, colour: Rgb, material: float
) -> None:
    """An upright eight-sided cone or cylinder with a lid; ``radius`` below and above."""
    turn = [math.pi * k / 4 for k in range(9)]
    for a, b in zip(turn, turn[1:], strict=False):
        low, top = (
            [(at[0] + r * math.cos(t), at[1] + r * math.sin(t), h) for t in (a, b)]
            for r, h in zip(radius, z, strict=True)
        )
        shade = 0.78 + 0.22 * math.cos((a + b) / 2 - 0.6)
        lit = [c * shade for c in colour]
        corners = (low[0], low[1], top[1], low[0], top[1], top[0])
        out.extend([*q, *lit, material] for q in corners)
        out.extend([*q, *colour, material] for q in (top[0], top[1], (*at, z[1])))
