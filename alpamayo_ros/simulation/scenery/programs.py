"""The shader programs of an atmosphere: plain day, or dusk, night and rain."""

from __future__ import annotations

from typing import Any

from alpamayo_ros.simulation.scenery import atmosphere_shaders, shaders
from alpamayo_ros.simulation.scenery.atlas import Pose, PosedCamera
from alpamayo_ros.simulation.scenery.instanced import Instanced, Sorted
from alpamayo_ros.simulation.scenery.mesh import Scenery


class Programs:
    """``static`` draws the scenery, ``agents`` everybody else; ``lit``: lamps shine."""

    def __init__(self, ctx: Any, slots: int, lit: bool) -> None:
        self._ctx, self.lit = ctx, lit
        lamp = ctx.program(shaders.LAMP_VERTEX, shaders.FRAGMENT)
        glow = None
        if lit:
            self.static = ctx.program(
                atmosphere_shaders.STATIC_VERTEX, atmosphere_shaders.STATIC_FRAGMENT
            )
            moving = ctx.program(atmosphere_shaders.AGENT_VERTEX, shaders.FRAGMENT)
            glow = ctx.program(atmosphere_shaders.GLOW_VERTEX, shaders.FRAGMENT)
        else:
            self.static = ctx.program(shaders.STATIC_VERTEX, shaders.FRAGMENT)
            moving = ctx.program(shaders.AGENT_VERTEX, shaders.FRAGMENT)
        self.agents = Instanced(ctx, moving, lamp, glow, slots)
        self._programs = [p for p in (self.static, moving, lamp, glow) if p is not None]

    def set_atmosphere(self, world: Scenery, ego: Pose) -> None:
        """Set sky, fog and atmosphere; ``ego`` carries the headlights."""
        for program in self._programs:
            program['fog'].value = world.fog_1pm
            if 'sky' in program:
                program['sky'].value = tuple(world.sky.tolist())
            if world.atmosphere is not None:
                atmosphere_shaders.set_atmosphere(program, world.atmosphere, ego)

    def draw_glows(self, glows: Sorted, view: PosedCamera, half_angle: float, slot: int) -> None:
        """Add the shine of lamps to what is drawn; it hides nothing."""
        import moderngl

        gl: Any = moderngl  # its stubs do not know all of its constants
        self._ctx.enable(gl.BLEND)
        self._ctx.blend_func = gl.ONE, gl.ONE
        self._ctx.fbo.depth_mask = False
        self._ctx.fbo.use()
        self.agents.draw(glows, view, half_angle, slot)
        self._ctx.disable(gl.BLEND)
        self._ctx.fbo.depth_mask = True
        self._ctx.fbo.use()
