"""Agents that are not cars: pedestrians, and the lit lamps of signals.

They have meshes and buffers of their own, made when the first one appears, so that scenes without
them are drawn exactly as if this module did not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32

from alpamayo_ros.simulation import shaders
from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.atlas import Look
from alpamayo_ros.simulation.mesh import Scenery
from alpamayo_ros.simulation.vehicle_mesh import lamp_mesh, pedestrian_mesh

MAX_EXTRA = 128
RADIUS_M = 1.0
EXTRA_MESHES = {'pedestrian': pedestrian_mesh, 'lamp': lamp_mesh}
Sorted = dict[str, np.ndarray]


class ExtraAgents:
    """Draws them with the car's program, lamps with one that knows no shade."""

    def __init__(self, ctx: Any, program: Any, slots: int) -> None:
        self._ctx, self._slots, self._world = ctx, slots, None
        self._programs = {'pedestrian': program}
        self._meshes: dict[str, list[tuple[Any, Any]]] = {}

    def sort_out(self, agents: Sequence[Agent], world: Scenery) -> Sorted:
        """Instances by kind; empty where all agents are cars."""
        out = {}
        for kind in EXTRA_MESHES:
            rows = [_instance(a, world.light) for a in agents if a.kind == kind][:MAX_EXTRA]
            if rows:
                out[kind] = np.array(rows, np.float32)
                self._prepare(kind, world)
        return out

    def _prepare(self, kind: str, world: Scenery) -> None:
        """Programs and buffers of a kind, and the air of this world."""
        ctx = self._ctx
        if kind not in self._programs:
            self._programs[kind] = ctx.program(shaders.LAMP_VERTEX, shaders.FRAGMENT)
        program = self._programs[kind]
        program['sky'].value, program['fog'].value = tuple(world.sky.tolist()), world.fog_1pm
        if kind in self._meshes:
            return
        vertices = ctx.buffer(EXTRA_MESHES[kind]().tobytes())
        mesh: tuple[Any, ...] = (vertices, '3f 3f 1f', 'p', 'c', 'material')
        if kind == 'lamp':
            mesh = (vertices, '3f 16x', 'p')
        self._meshes[kind] = []
        for _ in range(self._slots):
            buffer = ctx.buffer(reserve=MAX_EXTRA * 48)
            wanted = ('4f 4f 16x /i', 'pose', 'paint') if kind == 'lamp' else SHADED
            array = ctx.vertex_array(program, [mesh, (buffer, *wanted)])
            self._meshes[kind].append((buffer, array))

    def draw(self, extras: Sorted, look: Look, half_angle: float, slot: int) -> None:
        """Those of them that a camera may see."""
        for kind, rows in extras.items():
            seen = rows[look.sees(half_angle, rows[:, :2], RADIUS_M)]
            if len(seen):
                buffer, array = self._meshes[kind][slot]
                buffer.write(seen.tobytes())
                program = self._programs[kind]
                program['VP'].write(look.moved)
                program['eye'].value = tuple(look.eye.tolist())
                array.render(instances=len(seen))


SHADED = ('4f 4f 4f /i', 'pose', 'paint', 'size')


def _instance(a: Agent, light: float) -> Float32[np.ndarray, ' 12']:
    """Pose (x, y, z, heading), paint (r, g, b, 0), size (1, 1, light, 0)."""
    pose = (a.x_m, a.y_m, a.z_m, a.heading_rad)
    return np.array([*pose, *a.colour, 0.0, 1.0, 1.0, light, 0.0], np.float32)
