"""The released action space in numpy: (acceleration, curvature) to points, by its equations."""

from __future__ import annotations

import numpy as np

SCALE = np.array([0.6810426736454882, 0.026148280660833106])  # of acceleration, curvature
SHIFT = np.array([0.02902694707164455, 0.0002692167976330542])
DT_S = 0.1


def points(actions: np.ndarray, speed_mps: float) -> np.ndarray:
    """Normalised actions (K, P, 2) and the speed at t0 to x, y [m], heading [rad] (K, P, 3).

    v' = v + a dt; th' = th + k v dt + k a dt^2 / 2; x' = x + dt/2 (v cos th + v' cos th').
    """
    acceleration, curvature = np.moveaxis(actions.astype(np.float64) * SCALE + SHIFT, -1, 0)
    x, y, heading = np.zeros((3, len(actions)))
    speed = np.full(len(actions), speed_mps)
    found = []
    for a, k in zip(acceleration.T, curvature.T, strict=True):
        turned = heading + k * speed * DT_S + k * a * DT_S**2 / 2
        faster = speed + a * DT_S
        x = x + DT_S / 2 * (speed * np.cos(heading) + faster * np.cos(turned))
        y = y + DT_S / 2 * (speed * np.sin(heading) + faster * np.sin(turned))
        heading, speed = turned, faster
        found.append(np.stack([x, y, heading], -1))
    return np.stack(found, 1)
