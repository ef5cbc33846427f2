"""Which directions around the car its cameras see, at the horizon.

A direction is seen by a camera where its ray, through the mount and the lens, falls into the
picture.  Azimuths are those of base_link: 0 ahead, positive to the left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing.distortion import distort
from alpamayo_ros.sensing.rig import Rig, RigCamera

STEP_DEG = 0.5
NEAREST = 0.02  # depth over distance: rays nearer to the image plane are not seen
AZIMUTHS_DEG: Float[np.ndarray, ' A'] = np.arange(-180.0, 180.0, STEP_DEG)


@dataclass(frozen=True, slots=True)
class Arc:
    """From ``start_deg`` counter-clockwise to ``stop_deg``; ``names``: who sees it."""

    start_deg: float
    stop_deg: float
    names: tuple[str, ...] = ()

    @property
    def width_deg(self) -> float:
        """Its angle."""
        return self.stop_deg - self.start_deg

    def __str__(self) -> str:
        """As a person says it."""
        return f'{_side(self.start_deg)} to {_side(self.stop_deg)} ({self.width_deg:.0f} degrees)'


def _side(azimuth_deg: float) -> str:
    turned = math.remainder(azimuth_deg, 360.0)
    if abs(turned) < STEP_DEG / 2:
        return 'straight ahead'
    if abs(turned) > 180 - STEP_DEG / 2:
        return 'straight back'
    return f'{abs(turned):.0f} {"left" if turned > 0 else "right"}'


def seen(camera: RigCamera) -> Bool[np.ndarray, ' A']:
    """For each of ``AZIMUTHS_DEG`` whether the camera sees the horizon there."""
    turn = np.radians(AZIMUTHS_DEG)
    rays = np.stack([np.cos(turn), np.sin(turn), np.zeros(len(turn))], axis=1)
    optical = rays @ camera.base_from_optical[:3, :3]
    ahead = optical[:, 2] > NEAREST
    depth = np.where(ahead, optical[:, 2], 1.0)
    ray_x, ray_y = (np.where(ahead, optical[:, i] / depth, 0.0) for i in (0, 1))
    x, y, ok = distort(ray_x, ray_y, camera.distortion)
    column, row = (camera.matrix @ np.stack([x, y, np.ones(len(x))]))[:2]
    inside = (column >= -0.5) & (column <= camera.width - 0.5)
    inside &= (row >= -0.5) & (row <= camera.height - 0.5)
    return np.asarray(ahead & ok & inside)


def arcs(marked: Bool[np.ndarray, ' A'], names: tuple[str, ...] = ()) -> list[Arc]:
    """The marked stretches of the circle; one that goes through straight back is one."""
    if marked.all():
        return [Arc(-180.0, 180.0, names)]
    if not marked.any():
        return []
    first = int(np.argmin(marked))  # not marked: no stretch goes through it
    turned = np.roll(marked, -first)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], turned.astype(int), [0]])))
    out = []
    for start, stop in edges.reshape(-1, 2):
        begin_deg = float(AZIMUTHS_DEG[(start + first) % len(marked)])
        out.append(Arc(begin_deg, begin_deg + STEP_DEG * float(stop - start), names))
    return out


def gaps(rig: Rig, profile: ModelProfile | None = None) -> list[Arc]:
    """Stretches that no camera sees; of ``profile``: none of the cameras that it uses."""
    used = {c.name for c in (rig.cameras if profile is None else profile.cameras)}
    looking = [seen(c) for c in rig.cameras if c.name in used]
    return arcs(~np.any(looking, axis=0)) if looking else [Arc(-180.0, 180.0)]


def overlaps(rig: Rig) -> list[Arc]:
    """Stretches that two cameras see, for each pair."""
    views = {camera.name: seen(camera) for camera in rig.cameras}
    names = list(views)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    return [arc for a, b in pairs for arc in arcs(views[a] & views[b], (a, b))]
