"""GLSL for dusk, night and rain: the ego's headlights, lamps that shine, a wet road.

The light of the ground is worked out per pixel (its triangles are long), that of agents per
vertex.  ``ego``: x, y, cosine and sine of the heading.  ``LAMPS_AHEAD_M``, ``LAMPS_UP_M``: where
the headlights sit in base_link.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float32

from alpamayo_ros.simulation.scenery.atlas import Pose
from alpamayo_ros.simulation.scenery.atmosphere import Atmosphere
from alpamayo_ros.simulation.scenery.mesh_parts import Rows

LAMPS_AHEAD_M, LAMPS_UP_M = 3.6, 0.65

# q: a point seen from between the headlights.  Low beam: a cone that ends a little below the
# horizon, half its strength at 24 m.
_BEAM = """
float beam_at(vec3 q, float strength) {
  if (q.x < .05) return 0.;
  float d = length(q), aside = q.y / (q.x + .6), up = q.z / d;
  float cut = up < -.01 ? 1. : max(.1, 1. - (up + .01) * 22.);
  return strength * min(q.x * .45, 1.) * exp(-1.7 * aside * aside) * cut / (1. + d * d * .0018);
}
vec3 from_lamps(vec3 p, vec4 ego) {
  vec2 d = p.xy - ego.xy;
  return vec3(ego.z * d.x + ego.w * d.y - 3.6, ego.z * d.y - ego.w * d.x, p.z - .65);
}
"""

STATIC_VERTEX = (
    """#version 330
in vec3 p; in vec3 c;
uniform mat4 VP; uniform vec3 eye; uniform float fog; uniform vec4 ego; uniform float wet;
out vec3 own; out vec3 q; out vec3 air;
"""
    + _BEAM
    + """
void main() {
  float d = distance(p, eye);
  float shines = c.r > 1.5 ? 1. : 0.;
  own = c - 2. * shines; q = from_lamps(p, ego);
  air = vec3(exp(-d * fog * (1. - .4 * shines)), 0., shines);
  if (wet > 0. && abs(p.z) < .03) {
    float graze = pow(1. - eye.z / max(d, eye.z), 4.);
    float puddle = .75 + .25 * sin(p.x * .61 + 1.7 * sin(p.y * .23)) * sin(p.y * .53);
    air.y = wet * puddle * (.12 + .6 * graze);
    own *= 1. - .38 * wet;
  }
  gl_Position = VP * vec4(p, 1);
}"""
)

STATIC_FRAGMENT = (
    """#version 330
in vec3 own; in vec3 q; in vec3 air; out vec4 o;
uniform vec3 sky; uniform vec3 ambient; uniform float beam;
"""
    + _BEAM
    + """
void main() {
  vec3 k = own * (ambient + beam_at(q, beam) * vec3(1., .96, .86));
  k -= max(k - .5, vec3(0)) * .6;
  k = mix(k, own, air.z);
  o = vec4(mix(sky, mix(k, sky, air.y), air.x), 1);
}"""
)

AGENT_VERTEX = (
    """#version 330
in vec3 p; in vec3 c; in float material; in vec4 pose; in vec4 paint; in vec4 size;
uniform mat4 VP; uniform vec3 eye; uniform vec3 sky; uniform float fog; uniform vec4 ego;
uniform vec3 ambient; uniform float beam; uniform float lamps;
out vec3 colour;
"""
    + _BEAM
    + """
void main() {
  float cs = cos(pose.w), sn = sin(pose.w);
  vec3 b = vec3(p.xy * size.xy, p.z);
  vec3 q = vec3(cs * b.x - sn * b.y, sn * b.x + cs * b.y, b.z) + pose.xyz;
  vec3 k = c * (material > .5 ? paint.rgb : vec3(1)) * size.z;
  k = pow(clamp(k, 0., 1.), vec3(.85));
  float gain = material > .3 && material < .5 ? 3. : 1.;
  k = min(k * (ambient + gain * beam_at(from_lamps(q, ego), beam)), vec3(1));
  float thin = fog;
  if (material > .2 && material < .3) k = mix(k, vec3(1., .97, .88), lamps);
  if (material > 1.5) {
    bool on = paint.a > .5;
    k = on ? vec3(1., .13, .08) : mix(vec3(.3, .02, .02) * size.z, vec3(.6, .03, .025), lamps);
    thin = fog * .5;
  }
  if (material > 2.5) {
    bool on = abs(material - 2. - size.w) < .5;
    k = on ? vec3(.35, .6, 1.) : vec3(.02, .04, .2);
  }
  colour = mix(sky, k, exp(-distance(q, eye) * thin));
  gl_Position = VP * vec4(q, 1);
}"""
)

# added to the picture; material 0: head lamps, 2: tail lamps, 3 and 4: blue lamps
GLOW_VERTEX = """#version 330
in vec3 p; in vec3 c; in float material; in vec4 pose; in vec4 paint; in vec4 size;
uniform mat4 VP; uniform vec3 eye; uniform float fog; uniform float lamps; uniform float wet;
out vec3 colour;
void main() {
  float cs = cos(pose.w), sn = sin(pose.w);
  vec3 b = vec3(p.xy * size.xy, p.z);
  vec3 q = vec3(cs * b.x - sn * b.y, sn * b.x + cs * b.y, b.z) + pose.xyz;
  float on = lamps;
  if (material > 1.5) on *= paint.a > .5 ? 1. : .35;
  if (material > 2.5) on = abs(material - 2. - size.w) < .5 ? lamps : 0.;
  if (p.z < .1) on *= .5 + wet;
  colour = c * on * exp(-distance(q, eye) * fog * .7);
  gl_Position = VP * vec4(q, 1);
}"""


def set_atmosphere(program: Any, atmosphere: Atmosphere, ego: Pose) -> None:
    """Give a program what it knows of the atmosphere and the ego."""
    import math

    values = {
        'ambient': atmosphere.ambient,
        'beam': atmosphere.beam,
        'lamps': atmosphere.lamps,
        'wet': atmosphere.wet,
        'ego': (ego.x_m, ego.y_m, math.cos(ego.heading_rad), math.sin(ego.heading_rad)),
    }
    for name, value in values.items():
        if name in program:
            program[name].value = value


def _halo(out: Rows, at: tuple[float, float, float], radius: float, colour: tuple[float, ...],
          material: float) -> None:  # fmt: skip
    """An upright disc across the vehicle, bright in its middle and dark at its rim."""
    x, y, z = at
    ring = [(radius * np.cos(a), radius * np.sin(a)) for a in np.arange(9) * np.pi / 4]
    for (a, b), (c, d) in zip(ring, ring[1:], strict=False):
        out.append([x, y, z, *colour, material])
        out.extend([x, y + u, z + w, 0.0, 0.0, 0.0, material] for u, w in ((a, b), (c, d)))


def _pool(out: Rows, reach: tuple[float, ...], colour: tuple[float, ...], material: float) -> None:
    """Light on the road: rows of points along the vehicle, brightest second, dark at the rim."""
    half = (0.6, 1.6, 2.6, 3.4)
    rows = [[(x, h * side) for side in (-1.0, -0.35, 0.35, 1.0)] for x, h in zip(reach, half,
            strict=True)]  # fmt: skip
    bright = [[0.0, v, v, 0.0] for v in (0.15, 1.0, 0.45, 0.0)]
    for i in range(3):
        for j in range(3):
            quad = ((i, j), (i + 1, j), (i + 1, j + 1), (i, j), (i + 1, j + 1), (i, j + 1))
            out.extend([*rows[a][b], 0.05, *(bright[a][b] * c for c in colour), material]
                       for a, b in quad)  # fmt: skip


def glow_mesh() -> Float32[np.ndarray, 'n 7']:
    """Halos of a car's lamps and the light before and behind it; stretched like the car."""
    out: Rows = []
    for y in (-0.62, 0.62):
        _halo(out, (2.33, y, 0.72), 0.55, (0.55, 0.52, 0.42), 0.0)
        _halo(out, (-2.34, y, 0.71), 0.42, (0.5, 0.05, 0.03), 2.0)
    _pool(out, (2.4, 5.0, 9.0, 16.0), (0.2, 0.19, 0.15), 0.0)
    _pool(out, (-2.4, -3.4, -4.6, -6.5), (0.16, 0.012, 0.01), 2.0)
    return np.array(out, np.float32)


def blue_glow_mesh() -> Float32[np.ndarray, 'n 7']:
    """Halos of the two blue lamps on a roof, seen from before and behind."""
    out: Rows = []
    for x in (-0.8, -0.3):
        _halo(out, (x, 0.4, 1.62), 0.9, (0.1, 0.25, 0.8), 3.0)
        _halo(out, (x, -0.4, 1.62), 0.9, (0.1, 0.25, 0.8), 4.0)
    return np.array(out, np.float32)
