"""GLSL of the renderer, and the sky's mesh."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32

STATIC_VERTEX = """#version 330
in vec3 p; in vec3 c;
uniform mat4 VP; uniform vec3 eye; uniform vec3 sky; uniform float fog;
out vec3 colour;
void main() {
  colour = mix(sky, c, exp(-distance(p, eye) * fog));
  gl_Position = VP * vec4(p, 1);
}"""

# material 1: the agent's paint; 2: brake lamp, dark red or lit (paint.a), which fog dims half as
# much; 3 and 4: blue lamps, lit where size.w says so (``mesh_parts``)
AGENT_VERTEX = """#version 330
in vec3 p; in vec3 c; in float material; in vec4 pose; in vec4 paint; in vec4 size;
uniform mat4 VP; uniform vec3 eye; uniform vec3 sky; uniform float fog;
out vec3 colour;
void main() {
  float cs = cos(pose.w), sn = sin(pose.w);
  vec3 b = vec3(p.xy * size.xy, p.z);
  vec3 q = vec3(cs * b.x - sn * b.y, sn * b.x + cs * b.y, b.z) + pose.xyz;
  vec3 k = c * (material > .5 ? paint.rgb : vec3(1)) * size.z;
  k = pow(clamp(k, 0., 1.), vec3(.85));
  float thin = fog;
  if (material > 1.5) {
    k = paint.a > .5 ? vec3(1., .13, .08) : vec3(.3, .02, .02) * size.z;
    if (paint.a > .5) thin = fog * .5;
  }
  if (material > 2.5) {
    bool on = abs(material - 2. - size.w) < .5;
    k = on ? vec3(.25, .5, 1.) : vec3(.03, .06, .3) * size.z;
    if (on) thin = fog * .5;
  }
  colour = mix(sky, k, exp(-distance(q, eye) * thin));
  gl_Position = VP * vec4(q, 1);
}"""

# a lamp shines by itself, and fog dims it half as much
LAMP_VERTEX = """#version 330
in vec3 p; in vec4 pose; in vec4 paint;
uniform mat4 VP; uniform vec3 eye; uniform vec3 sky; uniform float fog;
out vec3 colour;
void main() {
  float cs = cos(pose.w), sn = sin(pose.w);
  vec3 q = vec3(cs * p.x - sn * p.y, sn * p.x + cs * p.y, p.z) + pose.xyz;
  colour = mix(sky, paint.rgb, exp(-distance(q, eye) * fog * .5));
  gl_Position = VP * vec4(q, 1);
}"""

SKY_VERTEX = """#version 330
in vec3 p; in float up;
uniform mat4 VP; uniform vec3 sky; uniform vec3 zenith;
out vec3 colour;
void main() {
  colour = mix(sky, zenith, up);
  vec4 q = VP * vec4(p, 1);
  gl_Position = q.xyww;
}"""

FRAGMENT = """#version 330
in vec3 colour; out vec4 o;
void main() { o = vec4(colour, 1); }"""

DOME_SIDES = 16
DOME_RINGS = (
    (0.0, 0.0),
    (0.12, 0.35),
    (0.35, 0.75),
    (1.2, 1.0),
)  # elevation [rad], share of zenith colour


def sky_dome() -> Float32[np.ndarray, 'n 4']:
    """Triangles of rings around the eye, closed at the top.

    Each corner is x, y, z and the share of the zenith's colour.
    """

    def at(ring: int, side: int) -> list[float]:
        elevation, share = DOME_RINGS[ring]
        a = 2 * math.pi * side / DOME_SIDES
        c = math.cos(elevation)
        return [math.cos(a) * c, math.sin(a) * c, math.sin(elevation), share]

    out: list[list[float]] = []
    last = len(DOME_RINGS) - 1
    for side in range(DOME_SIDES):
        for ring in range(last):
            a, b = at(ring, side), at(ring, side + 1)
            c, d = at(ring + 1, side + 1), at(ring + 1, side)
            out += [a, b, c, a, c, d]
        out += [at(last, side), at(last, side + 1), [0, 0, 1, 1]]
    return np.array(out, np.float32)
