"""Lens models of sensor_msgs/CameraInfo: from an ideal ray to where the lens puts it.

Equations: OpenCV's calib3d (plumb_bob, rational_polynomial) and fisheye (equidistant) modules;
``ftheta``: r = a + k2 a^2 + k3 a^3 ... of the angle a, up to a largest one (NVIDIA's DriveWorks).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from alpamayo_ros.sensing.rig import Distortion

Grid = Float[np.ndarray, '*n']


def distort(
    ray_x: Grid, ray_y: Grid, lens: Distortion
) -> tuple[Grid, Grid, Bool[np.ndarray, '*n']]:
    """Distorted normalised coordinates of the ray (x, y, 1), and where the model still holds.

    A polynomial turns back beyond the radius it was fitted to and would show the same pixel twice;
    rays beyond that turning point are not ok.
    """
    if lens.model == 'none':
        return ray_x, ray_y, np.ones(ray_x.shape, bool)
    radius = np.hypot(ray_x, ray_y)
    limit = _turning_radius(float(radius.max(initial=0.0)), lens)
    ok = radius <= limit
    if lens.model == 'ftheta':
        ok &= np.arctan(radius) <= lens.coefficients[0]
    factor = _radial(np.where(ok, radius, 0.0), lens)
    x, y = ray_x * factor, ray_y * factor
    if lens.model in ('plumb_bob', 'rational_polynomial'):
        p1, p2 = lens.coefficients[2], lens.coefficients[3]
        r2 = ray_x**2 + ray_y**2
        x = x + 2 * p1 * ray_x * ray_y + p2 * (r2 + 2 * ray_x**2)
        y = y + p1 * (r2 + 2 * ray_y**2) + 2 * p2 * ray_x * ray_y
    return x, y, ok


def _radial(radius: Grid, lens: Distortion) -> Grid:
    """Factor by which the lens stretches a ray of the given radius."""
    k = lens.coefficients
    if lens.model == 'ftheta':
        theta = np.arctan(radius)
        bent = np.polynomial.polynomial.polyval(theta, [0.0, 1.0, *k[1:]])
        return np.asarray(np.divide(bent, radius, out=np.ones_like(radius), where=radius > 1e-9))
    if lens.model == 'equidistant':
        theta = np.arctan(radius)
        t2 = theta * theta
        bent = theta * (1 + t2 * (k[0] + t2 * (k[1] + t2 * (k[2] + t2 * k[3]))))
        safe = np.where(radius > 1e-9, radius, 1.0)
        return np.asarray(np.where(radius > 1e-9, bent / safe, 1.0))
    r2 = radius * radius
    k3 = k[4] if len(k) > 4 else 0.0
    top = 1 + r2 * (k[0] + r2 * (k[1] + r2 * k3))
    if lens.model == 'rational_polynomial':
        top = top / (1 + r2 * (k[5] + r2 * (k[6] + r2 * k[7])))
    return np.asarray(top)


def _turning_radius(largest: float, lens: Distortion) -> float:
    """Largest ray radius up to which the distorted radius grows; scanned in 4,096 steps."""
    radii = np.linspace(0.0, max(largest, 1e-6), 4097)
    bent = radii * _radial(radii, lens)
    growing = np.diff(bent) > 0
    return float(radii[-1] if growing.all() else radii[int(np.argmin(growing))])
