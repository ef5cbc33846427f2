"""Agents in GL memory: one mesh a kind, instanced.

Buffers are made when a kind first appears, so that scenes without it are drawn exactly as if it
did not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32

from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.scenery.atlas import PosedCamera
from alpamayo_ros.simulation.scenery.atmosphere_shaders import blue_glow_mesh, glow_mesh
from alpamayo_ros.simulation.scenery.kind_mesh import KINDS

MAX_AGENTS = 128  # of a kind
FLASH_S = 0.2  # a blue lamp is lit this long, then the other one
SHADED = ('4f 4f 4f /i', 'pose', 'paint', 'size')
UNSHADED = ('4f 4f 16x /i', 'pose', 'paint')
GLOWING = ('car', 'van', 'truck', 'emergency_car')
GLOW_RADIUS_M = 18.0  # the light before a car
Sorted = dict[str, np.ndarray]
_Array = tuple[Any, Any]


class Instanced:
    """Draws agents with ``moving``, lamps with a program that knows no shade (``lamp``).

    ``glow``: what adds the shine of lamps to the picture, None by day.
    """

    def __init__(self, ctx: Any, moving: Any, lamp: Any, glow: Any, slots: int) -> None:
        self._ctx, self._slots = ctx, slots
        self._moving, self._lamp, self._glow = moving, lamp, glow
        self._arrays: dict[str, list[_Array]] = {}

    def sort_out(self, agents: Sequence[Agent], light: float, time_s: float) -> Sorted:
        """Instances by kind, in the order of ``KINDS``."""
        groups: dict[str, list[Agent]] = {}
        for a in agents:
            groups.setdefault(a.kind if a.kind in KINDS else 'car', []).append(a)
        out: Sorted = {}
        for kind in (k for k in KINDS if k in groups):
            rows = [_instance(a, kind, light, time_s) for a in groups[kind][:MAX_AGENTS]]
            out[kind] = np.array(rows, np.float32)
            self._prepare(kind, KINDS[kind].mesh)
        return out

    def glowing(self, instances: Sorted) -> Sorted:
        """Instances whose lamps shine, by glow mesh; empty by day."""
        if self._glow is None:
            return {}
        cars = [instances[kind] for kind in GLOWING if kind in instances]
        out = {'glow': np.concatenate(cars)[:MAX_AGENTS]} if cars else {}
        if 'emergency_car' in instances:
            out['blue_glow'] = instances['emergency_car']
        for kind in out:
            self._prepare(kind, glow_mesh if kind == 'glow' else blue_glow_mesh)
        return out

    def draw(self, instances: Sorted, view: PosedCamera, half_angle: float, slot: int) -> None:
        """Those of them that a camera may see."""
        for kind, rows in instances.items():
            radius = KINDS[kind].radius_m if kind in KINDS else GLOW_RADIUS_M
            seen = rows[view.sees(half_angle, rows[:, :2], radius)]
            if len(seen):
                buffer, array = self._arrays[kind][slot]
                buffer.write(seen.tobytes())
                program = self._program(kind)
                program['VP'].write(view.moved)
                program['eye'].value = tuple(view.eye.tolist())
                array.render(instances=len(seen))

    def _program(self, kind: str) -> Any:
        if kind == 'lamp':
            return self._lamp
        return self._moving if kind in KINDS else self._glow

    def _prepare(self, kind: str, mesh: Callable[[], Float32[np.ndarray, 'n 7']]) -> None:
        if kind in self._arrays:
            return
        ctx, lamp = self._ctx, kind == 'lamp'
        vertices = ctx.buffer(mesh().tobytes())
        form = ('3f 16x', 'p') if lamp else ('3f 3f 1f', 'p', 'c', 'material')
        self._arrays[kind] = []
        for _ in range(self._slots):
            buffer = ctx.buffer(reserve=MAX_AGENTS * 48)
            wanted = UNSHADED if lamp else SHADED
            content = [(vertices, *form), (buffer, *wanted)]
            self._arrays[kind].append((buffer, ctx.vertex_array(self._program(kind), content)))


def _instance(a: Agent, kind: str, light: float, time_s: float) -> tuple[float, ...]:
    """Pose (x, y, z, heading), paint (r, g, b, braking) and size of an agent.

    Size is length, width, light, which blue lamp is lit (1 or 2).
    """
    usual = KINDS[kind]
    stretch = (1.0, 1.0)
    if usual.length_m:
        stretch = (a.length_m / usual.length_m, a.width_m / usual.width_m)
    flash = 1.0 + int(time_s / FLASH_S + 1e-6) % 2 if kind == 'emergency_car' else 0.0
    braking = float(a.braking) if usual.length_m else 0.0
    pose = (a.x_m, a.y_m, a.z_m, a.heading_rad)
    return (*pose, *a.colour, braking, *stretch, light, flash)
