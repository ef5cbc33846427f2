"""Six cameras in one atlas: moderngl on EGL, which software GL serves well enough.

Lighting and fog per vertex, chunks outside a camera's view skipped, one read-back; the same input gives
the same bytes.  llvmpipe runs on one thread unless LP_NUM_THREADS says otherwise before the first import.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from jaxtyping import Float, UInt8

from alpamayo_ros.simulation import shaders
from alpamayo_ros.simulation.mesh import Scenery
from alpamayo_ros.simulation.rig import SIM_CAMERAS, SimCamera
from alpamayo_ros.simulation.vehicle_mesh import LENGTH_M, WIDTH_M, car_mesh

if TYPE_CHECKING:
    from alpamayo_ros.simulation.agents import Agent

NEAR_M, FAR_M = 0.3, 600.0
DRAW_DISTANCE_M = 260.0  # chunks and agents beyond are left to the fog
MAX_AGENTS = 128
COMMAND_WORDS = 5  # moderngl's stride of indirect draws: count, instances, first, base instance, unused


class Pose(Protocol):
    """Anything with a position and heading of base_link in the world frame."""

    @property
    def x_m(self) -> float: ...
    @property
    def y_m(self) -> float: ...
    @property
    def heading_rad(self) -> float: ...


class _Tile:
    """A camera's place in the atlas (top-left corner, pixels) and what never changes about it."""

    def __init__(self, camera: SimCamera, left: int, top: int) -> None:
        self.camera, self.left, self.top = camera, left, top
        t = 1 / math.tan(math.radians(camera.hfov_deg) / 2)
        n, f = NEAR_M, FAR_M
        self.projection = np.array(
            [
                [t, 0, 0, 0],
                [0, t * camera.width / camera.height, 0, 0],
                [0, 0, (f + n) / (n - f), 2 * f * n / (n - f)],
                [0, 0, -1, 0],
            ]
        )
        half = math.radians(camera.hfov_deg) / 2
        self.cos_half, self.sin_half = math.cos(half), math.sin(half)

    def look(self, ego: Pose) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """Eye [m], view-projection without translation, with translation, and world yaw of the camera."""
        cam, c, s = self.camera, math.cos(ego.heading_rad), math.sin(ego.heading_rad)
        eye = np.array([ego.x_m + c * cam.x_m - s * cam.y_m, ego.y_m + s * cam.x_m + c * cam.y_m, cam.z_m])
        yaw, pitch = ego.heading_rad + math.radians(cam.yaw_deg), cam.pitch_rad
        cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
        turn = np.eye(4)
        turn[0, :3], turn[1, :3], turn[2, :3] = (sy, -cy, 0), (-cy * sp, -sy * sp, cp), (-cy * cp, -sy * cp, -sp)
        moved = turn.copy()
        moved[:3, 3] = -turn[:3, :3] @ eye
        return eye, self.projection @ turn, self.projection @ moved, yaw

    def sees(self, eye: np.ndarray, yaw: float, xy: np.ndarray, radius: np.ndarray | float) -> np.ndarray:
        """Which circles may be in view, by the two side planes and the draw distance (2 m margin)."""
        dx, dy = xy[:, 0] - eye[0], xy[:, 1] - eye[1]
        ahead = dx * math.cos(yaw) + dy * math.sin(yaw)
        aside = np.abs(dx * math.sin(yaw) - dy * math.cos(yaw))
        reach = radius + 2.0
        inside = aside * self.cos_half - ahead * self.sin_half < reach
        return inside & (ahead > -reach) & (ahead < DRAW_DISTANCE_M + radius)


def pack(cameras: Sequence[SimCamera]) -> tuple[list[_Tile], int, int]:
    """Tiles in columns: big images first, smaller ones stacked beside them; atlas width and height."""
    order = sorted(cameras, key=lambda c: -c.height)
    limit = max(math.ceil(order[0].height / order[-1].height) * order[-1].height, order[0].height)
    tiles, left, top, column = [], 0, 0, 0
    for camera in order:
        if top and (top + camera.height > limit or camera.width != column):
            left, top, column = left + column, 0, 0
        tiles.append(_Tile(camera, left, top))
        top, column = top + camera.height, max(column, camera.width)
    names = [c.name for c in cameras]
    return sorted(tiles, key=lambda t: names.index(t.camera.name)), left + column, limit


class Renderer:
    """Draws a scenery and agents into the images of a rig.  One per process is enough (``shared_renderer``)."""

    def __init__(self, cameras: Sequence[SimCamera] = SIM_CAMERAS, samples: int = 0) -> None:
        os.environ.setdefault('LP_NUM_THREADS', '1')
        import moderngl

        self._gl = moderngl
        self._ctx = ctx = moderngl.create_context(standalone=True, backend='egl')
        self.tiles, self._width, self._height = pack(cameras)
        size = (self._width, self._height)
        self._out = ctx.framebuffer([ctx.renderbuffer(size, 3)], ctx.depth_renderbuffer(size))
        self._target = self._out
        if samples:
            depth = ctx.depth_renderbuffer(size, samples=samples)
            self._target = ctx.framebuffer([ctx.renderbuffer(size, 3, samples=samples)], depth)
        self._static = ctx.program(shaders.STATIC_VERTEX, shaders.FRAGMENT)
        self._moving = ctx.program(shaders.AGENT_VERTEX, shaders.FRAGMENT)
        self._sky = ctx.program(shaders.SKY_VERTEX, shaders.FRAGMENT)
        dome = ctx.buffer(shaders.sky_dome().tobytes())
        self._dome = ctx.vertex_array(self._sky, [(dome, '3f 1f', 'p', 'up')])
        self._instances = [ctx.buffer(reserve=MAX_AGENTS * 48) for _ in self.tiles]
        mesh = ctx.buffer(car_mesh().tobytes())
        layout = (mesh, '3f 3f 1f', 'p', 'c', 'material')
        self._cars = [
            ctx.vertex_array(self._moving, [layout, (b, '4f 4f 4f /i', 'pose', 'paint', 'size')])
            for b in self._instances
        ]
        self._loaded: dict[int, tuple[Scenery, Any, Any, Any]] = {}

    def load(self, world: Scenery) -> None:
        """Upload a mesh; ``render`` does it on first use."""
        if id(world) in self._loaded:
            return
        vertices = self._ctx.buffer(world.mesh.vertices.tobytes())
        array = self._ctx.vertex_array(self._static, [(vertices, '3f 3f', 'p', 'c')])
        commands = self._ctx.buffer(reserve=4 * COMMAND_WORDS * len(world.mesh.first) * len(self.tiles))
        self._loaded[id(world)] = (world, vertices, array, commands)

    def free(self, world: Scenery) -> None:
        """Release a mesh; unknown ones are ignored."""
        for resource in self._loaded.pop(id(world), (None,))[1:]:
            resource.release()

    def render(
        self,
        world: Scenery,
        ego: Pose,
        agents: Sequence[Agent] = (),
        only: Collection[str] | None = None,
    ) -> dict[str, UInt8[np.ndarray, 'h w 3']]:
        """RGB images by camera name; ``only``: the cameras to draw (all by default)."""
        self.load(world)
        tiles = [t for t in self.tiles if only is None or t.camera.name in only]
        _, _, array, commands = self._loaded[id(world)]
        self._target.use()
        self._ctx.enable_only(self._gl.DEPTH_TEST)
        self._ctx.depth_func = '<='
        self._target.clear(*world.sky)
        for program in (self._static, self._moving):
            program['sky'].value, program['fog'].value = tuple(world.sky), world.fog_1pm
        self._sky['sky'].value, self._sky['zenith'].value = tuple(world.sky), tuple(world.zenith)
        boxes = _instances(agents, world.light)
        for k, tile in enumerate(tiles):
            cam = tile.camera
            bottom = self._height - tile.top - cam.height
            self._target.viewport = (tile.left, bottom, cam.width, cam.height)
            eye, turned, moved, yaw = tile.look(ego)
            self._draw_static(world, tile, array, commands, k, eye, moved, yaw)
            self._draw_agents(tile, k, boxes, eye, moved, yaw)
            self._sky['VP'].write(turned.T.astype('f4').tobytes())
            self._dome.render()
        return self._read(tiles)

    def _draw_static(
        self,
        world: Scenery,
        tile: _Tile,
        array: Any,
        commands: Any,
        slot: int,
        eye: np.ndarray,
        view: np.ndarray,
        yaw: float,
    ) -> None:
        mesh = world.mesh
        seen = np.nonzero(tile.sees(eye, yaw, mesh.centre, mesh.radius))[0]
        if not len(seen):
            return
        near = np.linalg.norm(mesh.centre[seen] - eye[:2], axis=1)
        seen = seen[np.argsort(near, kind='stable')]
        draws = np.zeros((len(seen), COMMAND_WORDS), np.uint32)
        draws[:, 0], draws[:, 1], draws[:, 2] = mesh.count[seen], 1, mesh.first[seen]
        offset = slot * len(mesh.first)
        commands.write(draws.tobytes(), offset=offset * 4 * COMMAND_WORDS)
        self._static['VP'].write(view.T.astype('f4').tobytes())
        self._static['eye'].value = tuple(eye)
        array.render_indirect(commands, count=len(seen), first=offset)

    def _draw_agents(
        self, tile: _Tile, slot: int, boxes: np.ndarray, eye: np.ndarray, view: np.ndarray, yaw: float
    ) -> None:
        if not len(boxes):
            return
        seen = boxes[tile.sees(eye, yaw, boxes[:, :2], 3.0)]
        if not len(seen):
            return
        self._instances[slot].write(seen.tobytes())
        self._moving['VP'].write(view.T.astype('f4').tobytes())
        self._moving['eye'].value = tuple(eye)
        self._cars[slot].render(instances=len(seen))

    def _read(self, tiles: list[_Tile]) -> dict[str, np.ndarray]:
        if self._target is not self._out:
            self._ctx.copy_framebuffer(self._out, self._target)
        width = max(t.left + t.camera.width for t in tiles)
        raw = self._out.read(viewport=(0, 0, width, self._height), components=3, alignment=1)
        atlas = np.frombuffer(raw, np.uint8).reshape(self._height, width, 3)[::-1]
        images = {}
        for t in tiles:
            cam = t.camera
            rows, columns = slice(t.top, t.top + cam.height), slice(t.left, t.left + cam.width)
            images[cam.name] = np.ascontiguousarray(atlas[rows, columns])
        return images


def _instances(agents: Sequence[Agent], light: float) -> Float[np.ndarray, 'a 12']:
    """Per-instance attributes: pose (x, y, z, heading), paint (r, g, b, braking), size (length, width, light, -)."""
    rows = [
        (a.x_m, a.y_m, 0.0, a.heading_rad, *a.colour, float(a.braking))
        + (a.length_m / LENGTH_M, a.width_m / WIDTH_M, light, 0.0)
        for a in list(agents)[:MAX_AGENTS]
    ]
    return np.array(rows, np.float32).reshape(-1, 12)


@functools.lru_cache(maxsize=2)
def shared_renderer(cameras: tuple[SimCamera, ...] = SIM_CAMERAS, samples: int = 0) -> Renderer:
    """The renderer of this process for these cameras, created on first use."""
    return Renderer(cameras, samples)
