"""Six cameras in one atlas: moderngl on EGL, which software GL serves well enough.

Lighting and fog per vertex, chunks outside a camera's view skipped, one read-back (and a small
one for the finely sampled centre of the front camera); the same input gives the same bytes.
llvmpipe runs on one thread unless LP_NUM_THREADS says otherwise before the first renderer of the
process.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from alpamayo_ros.simulation import shaders
from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.atlas import Look, Pose, Tile, pack
from alpamayo_ros.simulation.extra_agents import EXTRA_MESHES, ExtraAgents, Sorted
from alpamayo_ros.simulation.mesh import Scenery
from alpamayo_ros.simulation.rig import SimCamera, sim_cameras
from alpamayo_ros.simulation.vehicle_mesh import LENGTH_M, WIDTH_M, car_mesh

MAX_AGENTS = 128
AGENT_RADIUS_M = 3.0
FINE_SAMPLES = 4
COMMAND_WORDS = (
    5  # moderngl's stride of indirect draws: count, instances, first, base instance, unused
)


@dataclass(frozen=True)
class _Loaded:
    """A scenery in GL memory; the reference keeps its id from being reused."""

    scenery: Scenery
    vertices: Any
    array: Any
    commands: Any


class Renderer:
    """Draws a scenery and agents into the images of a rig.  One a process is enough
    (``shared_renderer``).
    """

    def __init__(self, cameras: Sequence[SimCamera] | None = None) -> None:
        os.environ.setdefault('LP_NUM_THREADS', '1')
        import moderngl

        gl: Any = moderngl  # its stubs know neither keyword settings nor uniforms by name

        self._ctx = ctx = gl.create_context(standalone=True, backend='egl')
        ctx.enable_only(gl.DEPTH_TEST)
        ctx.depth_func = '<='
        self._tiles, width, self._height = pack(cameras or sim_cameras())
        self._atlas = ctx.framebuffer(
            [ctx.renderbuffer((width, self._height), 3)],
            ctx.depth_renderbuffer((width, self._height)),
        )
        self._fine = {
            t.camera.name: self._fine_buffers(t) for t in self._tiles if t.camera.fine_px[0]
        }
        self._static = ctx.program(shaders.STATIC_VERTEX, shaders.FRAGMENT)
        self._moving = ctx.program(shaders.AGENT_VERTEX, shaders.FRAGMENT)
        self._sky = ctx.program(shaders.SKY_VERTEX, shaders.FRAGMENT)
        dome = ctx.buffer(shaders.sky_dome().tobytes())
        self._dome = ctx.vertex_array(self._sky, [(dome, '3f 1f', 'p', 'up')])
        mesh = (ctx.buffer(car_mesh().tobytes()), '3f 3f 1f', 'p', 'c', 'material')
        self._instances, self._cars = [], []
        for _ in range(2 * len(self._tiles)):
            buffer = ctx.buffer(reserve=MAX_AGENTS * 48)
            attributes = (buffer, '4f 4f 4f /i', 'pose', 'paint', 'size')
            self._instances.append(buffer)
            self._cars.append(ctx.vertex_array(self._moving, [mesh, attributes]))
        self._extras = ExtraAgents(ctx, self._moving, 2 * len(self._tiles))
        self._loaded: dict[int, _Loaded] = {}

    def _fine_buffers(self, tile: Tile) -> tuple[Any, Any]:
        """A multisampled target and the plain one that it is resolved into."""
        ctx, size = self._ctx, tile.camera.fine_px
        depth = ctx.depth_renderbuffer(size, samples=FINE_SAMPLES)
        many = ctx.framebuffer([ctx.renderbuffer(size, 3, samples=FINE_SAMPLES)], depth)
        return many, ctx.framebuffer([ctx.renderbuffer(size, 3)])

    def load(self, world: Scenery) -> None:
        """Upload a mesh; ``render`` does it on first use."""
        if id(world) in self._loaded:
            return
        ctx, mesh = self._ctx, world.mesh
        vertices = ctx.buffer(mesh.vertices.tobytes())
        array = ctx.vertex_array(self._static, [(vertices, '3f 3f', 'p', 'c')])
        commands = ctx.buffer(reserve=4 * COMMAND_WORDS * len(mesh.first) * 2 * len(self._tiles))
        self._loaded[id(world)] = _Loaded(world, vertices, array, commands)

    def free(self, world: Scenery) -> None:
        """Release a mesh; unknown ones are ignored."""
        loaded = self._loaded.pop(id(world), None)
        if loaded is not None:
            for resource in (loaded.array, loaded.vertices, loaded.commands):
                resource.release()

    def render(
        self,
        world: Scenery,
        ego: Pose,
        agents: Sequence[Agent] = (),
        only: Collection[str] | None = None,
    ) -> dict[str, UInt8[np.ndarray, '_ _ 3']]:
        """RGB images by camera name; ``only``: the cameras to draw (all by default)."""
        self.load(world)
        tiles = [t for t in self._tiles if only is None or t.camera.name in only]
        sky = tuple(world.sky.tolist())
        for program in (self._static, self._moving):
            program['sky'].value, program['fog'].value = sky, world.fog_1pm
        self._sky['sky'].value, self._sky['zenith'].value = sky, tuple(world.zenith.tolist())
        boxes = _instances([a for a in agents if a.kind not in EXTRA_MESHES], world.light)
        extras, slot = self._extras.sort_out(agents, world), 0
        self._atlas.use()
        self._atlas.clear(*sky)
        looks = {t.camera.name: t.look(ego) for t in tiles}
        for t in tiles:
            bottom = self._height - t.top - t.camera.height
            self._atlas.viewport = (t.left, bottom, t.camera.width, t.camera.height)
            loaded, look = self._loaded[id(world)], looks[t.camera.name]
            self._draw(loaded, look, t.half_angle, (boxes, extras), slot)
            slot += 1
        images = self._read(tiles)
        for t in tiles:
            if t.camera.name in self._fine:
                look = looks[t.camera.name]
                loaded = self._loaded[id(world)]
                self._refine(t, images[t.camera.name], loaded, look, (boxes, extras), slot)
                slot += 1
        return images

    def _draw(
        self,
        world: _Loaded,
        look: Look,
        half: float,
        moving: tuple[np.ndarray, Sorted],
        slot: int,
    ) -> None:
        """Near chunks first, so that what they hide costs little; then agents; then the sky
        behind all.
        """
        mesh, eye, (boxes, extras) = world.scenery.mesh, tuple(look.eye.tolist()), moving
        seen = np.nonzero(look.sees(half, mesh.centre, mesh.radius))[0]
        near = np.linalg.norm(mesh.centre[seen] - look.eye[:2], axis=1) - mesh.radius[seen]
        seen = seen[np.argsort(near, kind='stable')]
        if len(seen):
            draws = np.zeros((len(seen), COMMAND_WORDS), np.uint32)
            draws[:, 0], draws[:, 1], draws[:, 2] = mesh.count[seen], 1, mesh.first[seen]
            first = slot * len(mesh.first)
            world.commands.write(draws.tobytes(), offset=first * 4 * COMMAND_WORDS)
            self._static['VP'].write(look.moved)
            self._static['eye'].value = eye
            world.array.render_indirect(world.commands, count=len(seen), first=first)
        if len(boxes):
            boxes = boxes[look.sees(half, boxes[:, :2], AGENT_RADIUS_M)]
        if len(boxes):
            self._instances[slot].write(boxes.tobytes())
            self._moving['VP'].write(look.moved)
            self._moving['eye'].value = eye
            self._cars[slot].render(instances=len(boxes))
        if extras:
            self._extras.draw(extras, look, half, slot)
        self._sky['VP'].write(look.turned)
        self._dome.render()

    def _refine(
        self,
        tile: Tile,
        image: np.ndarray,
        world: _Loaded,
        look: Look,
        moving: tuple[np.ndarray, Sorted],
        slot: int,
    ) -> None:
        """Draw the centre of ``image`` again with several samples a pixel."""
        cam, (w, h) = tile.camera, tile.camera.fine_px
        many, plain = self._fine[cam.name]
        left, top = (cam.width - w) // 2, (cam.height - h) // 2
        many.use()
        many.clear(*world.scenery.sky.tolist(), viewport=(0, 0, w, h))
        many.viewport = (-left, -top, cam.width, cam.height)
        self._draw(world, look, tile.fine_half_angle, moving, slot)
        self._ctx.copy_framebuffer(plain, many)
        raw = plain.read(viewport=(0, 0, w, h), components=3, alignment=1)
        image[top : top + h, left : left + w] = np.frombuffer(raw, np.uint8).reshape(h, w, 3)[::-1]

    def _read(self, tiles: list[Tile]) -> dict[str, np.ndarray]:
        width = max((t.left + t.camera.width for t in tiles), default=1)
        raw = self._atlas.read(viewport=(0, 0, width, self._height), components=3, alignment=1)
        atlas = np.frombuffer(raw, np.uint8).reshape(self._height, width, 3)[::-1]
        images = {}
        for t in tiles:
            cam = t.camera
            rows, columns = slice(t.top, t.top + cam.height), slice(t.left, t.left + cam.width)
            images[cam.name] = atlas[rows, columns].copy()
        return images


def _instances(agents: Sequence[Agent], light: float) -> Float32[np.ndarray, 'a 12']:
    """Per instance: pose (x, y, z, heading), paint (r, g, b, braking), size (length, width,
    light, 0).
    """
    rows = [
        (a.x_m, a.y_m, a.z_m, a.heading_rad, *a.colour, float(a.braking))
        + (a.length_m / LENGTH_M, a.width_m / WIDTH_M, light, 0.0)
        for a in list(agents)[:MAX_AGENTS]
    ]
    return np.array(rows, np.float32).reshape(-1, 12)


@functools.lru_cache(maxsize=1)
def shared_renderer() -> Renderer:
    """The renderer of this process for the simulated rig, created on first use."""
    return Renderer()
