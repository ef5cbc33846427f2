"""Six cameras in one atlas: moderngl on EGL, which software GL serves well enough.

Lighting and fog per vertex (headlights per pixel), chunks outside a camera's view skipped, one
read-back (and a small one for the finely sampled centre of the front camera); the same input
gives the same bytes.  llvmpipe runs on one thread unless LP_NUM_THREADS says otherwise before the
first renderer of the process.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.scenery import shaders
from alpamayo_ros.simulation.scenery.atlas import FAR_M, NEAR_M, Pose, PosedCamera, Tile, pack
from alpamayo_ros.simulation.scenery.instanced import Sorted
from alpamayo_ros.simulation.scenery.mesh import Scenery
from alpamayo_ros.simulation.scenery.programs import Programs
from alpamayo_ros.simulation.scenery.rain import wet_lens
from alpamayo_ros.simulation.sim_rig import SimCamera, sim_cameras

FINE_SAMPLES = 4
COMMAND_WORDS = (
    5  # moderngl's stride of indirect draws: count, instances, first, base instance, unused
)


@dataclass(frozen=True)
class _Loaded:
    """A scenery in GL memory; the reference keeps its id from being reused."""

    scenery: Scenery
    programs: Programs
    vertices: Any
    array: Any
    commands: Any


@dataclass(frozen=True)
class _Moving:
    """Agents of one instant, by mesh: their bodies, and the shine of their lamps."""

    bodies: Sorted
    glows: Sorted


def _shape(camera: SimCamera) -> tuple[object, ...]:
    """What a picture's place in the atlas depends on."""
    size = (camera.width, camera.height, *camera.fine_px)
    return (camera.name, camera.hfov_rad, *size)


class Renderer:
    """Draws a scenery and agents into the images of a rig.

    One a process is enough (``shared_renderer``).
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
        self._programs: dict[bool, Programs] = {}
        self._sky = ctx.program(shaders.SKY_VERTEX, shaders.FRAGMENT)
        dome = ctx.buffer(shaders.sky_dome().tobytes())
        self._dome = ctx.vertex_array(self._sky, [(dome, '3f 1f', 'p', 'up')])
        self._loaded: dict[int, _Loaded] = {}

    @property
    def cameras(self) -> list[SimCamera]:
        """The cameras as they are mounted."""
        return [tile.camera for tile in self._tiles]

    def remount(self, cameras: Sequence[SimCamera]) -> None:
        """Mount the same cameras elsewhere or otherwise turned; ValueError where one differs."""
        for old, new in zip(self.cameras, cameras, strict=True):
            if _shape(old) != _shape(new):
                raise ValueError(f'{new.name}: a camera that is remounted keeps its picture')
        self._tiles, _, _ = pack(cameras)

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
        lit = world.atmosphere is not None
        if lit not in self._programs:
            self._programs[lit] = Programs(ctx, 2 * len(self._tiles), lit)
        programs, vertices = self._programs[lit], ctx.buffer(mesh.vertices.tobytes())
        array = ctx.vertex_array(programs.static, [(vertices, '3f 3f', 'p', 'c')])
        commands = ctx.buffer(reserve=4 * COMMAND_WORDS * len(mesh.first) * 2 * len(self._tiles))
        self._loaded[id(world)] = _Loaded(world, programs, vertices, array, commands)

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
        time_s: float = 0.0,
    ) -> dict[str, UInt8[np.ndarray, '_ _ 3']]:
        """RGB images by camera name; ``only``: the cameras to draw (all by default).

        ``time_s`` moves what lives by itself: flashing lamps, drops.
        """
        self.load(world)
        tiles = [t for t in self._tiles if only is None or t.camera.name in only]
        loaded, sky, slot = self._loaded[id(world)], tuple(world.sky.tolist()), 0
        loaded.programs.set_atmosphere(world, ego)
        self._sky['sky'].value, self._sky['zenith'].value = sky, tuple(world.zenith.tolist())
        bodies = loaded.programs.agents.sort_out(agents, world.light, time_s)
        moving = _Moving(bodies, loaded.programs.agents.glowing(bodies))
        self._atlas.use()
        self._atlas.clear(*sky)
        views = {t.camera.name: t.posed(ego) for t in tiles}
        for t in tiles:
            bottom = self._height - t.top - t.camera.height
            self._atlas.viewport = (t.left, bottom, t.camera.width, t.camera.height)
            self._draw(loaded, views[t.camera.name], t.half_angle, moving, slot)
            slot += 1
        images = self._read(tiles)
        for t in tiles:
            if t.camera.name in self._fine:
                view = views[t.camera.name]
                self._refine(t, images[t.camera.name], loaded, view, moving, slot)
                slot += 1
        if world.atmosphere is not None and world.atmosphere.rain > 0:
            for name, image in images.items():
                wet_lens(image, name, world.atmosphere.rain, world.sky, time_s)
        return images

    def _draw(
        self,
        world: _Loaded,
        view: PosedCamera,
        half: float,
        moving: _Moving,
        slot: int,
    ) -> None:
        """Draw near chunks, then agents, then the sky behind all, last the shine of lamps.

        Near chunks come first, so that what they hide costs little.
        """
        mesh, programs = world.scenery.mesh, world.programs
        seen = np.nonzero(view.sees(half, mesh.centre, mesh.radius))[0]
        near = np.linalg.norm(mesh.centre[seen] - view.eye[:2], axis=1) - mesh.radius[seen]
        seen = seen[np.argsort(near, kind='stable')]
        if len(seen):
            draws = np.zeros((len(seen), COMMAND_WORDS), np.uint32)
            draws[:, 0], draws[:, 1], draws[:, 2] = mesh.count[seen], 1, mesh.first[seen]
            first = slot * len(mesh.first)
            world.commands.write(draws.tobytes(), offset=first * 4 * COMMAND_WORDS)
            programs.static['VP'].write(view.moved)
            programs.static['eye'].value = tuple(view.eye.tolist())
            world.array.render_indirect(world.commands, count=len(seen), first=first)
        programs.agents.draw(moving.bodies, view, half, slot)
        self._sky['VP'].write(view.turned)
        self._dome.render()
        if moving.glows:
            programs.draw_glows(moving.glows, view, half, slot)

    def _refine(
        self,
        tile: Tile,
        image: np.ndarray,
        world: _Loaded,
        view: PosedCamera,
        moving: _Moving,
        slot: int,
    ) -> None:
        """Draw the centre of ``image`` again with several samples a pixel."""
        cam, (w, h) = tile.camera, tile.camera.fine_px
        many, plain = self._fine[cam.name]
        left, top = (cam.width - w) // 2, (cam.height - h) // 2
        many.use()
        many.clear(*world.scenery.sky.tolist(), viewport=(0, 0, w, h))
        many.viewport = (-left, -top, cam.width, cam.height)
        self._draw(world, view, tile.fine_half_angle, moving, slot)
        self._ctx.copy_framebuffer(plain, many)
        raw = plain.read(viewport=(0, 0, w, h), components=3, alignment=1)
        image[top : top + h, left : left + w] = np.frombuffer(raw, np.uint8).reshape(h, w, 3)[::-1]

    def distances(
        self, name: str, rows: range | None = None, columns: range | None = None
    ) -> Float32[np.ndarray, 'H W']:
        """Metres along the axis of a camera to what each pixel of its last picture shows.

        ``rows``, ``columns``: the pixels that are asked for; all by default.
        """
        tile = next(t for t in self._tiles if t.camera.name == name)
        rows, columns = rows or range(tile.camera.height), columns or range(tile.camera.width)
        bottom, height = self._height - tile.top - rows.stop, rows.stop - rows.start
        window = (tile.left + columns.start, bottom, columns.stop - columns.start, height)
        raw = self._atlas.read(viewport=window, components=1, attachment=-1, dtype='f4')
        read = np.frombuffer(raw, np.float32).reshape(height, -1)[::-1]
        depth = 2.0 * read[:: rows.step, :: columns.step] - 1.0
        far: np.ndarray = 2 * FAR_M * NEAR_M / (FAR_M + NEAR_M - depth * (FAR_M - NEAR_M))
        return far

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


@functools.lru_cache(maxsize=1)
def shared_renderer() -> Renderer:
    """The renderer of this process for the simulated rig, created on first use."""
    return Renderer()
