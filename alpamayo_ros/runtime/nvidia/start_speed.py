"""Speed at t0 as the vendor's code estimates it from poses, and whether odometry agrees.

The estimate amplifies noise of the positions: its standard deviation is 21.7 times theirs per
axis [m/s per m], at any speed (2,000 draws each at 0, 1, 8 and 20 m/s); 10 mm are 0.22 m/s, which
is 1.4 m after 6.4 s.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from alpamayo_ros.faults import Code, Fault

SMOOTHING, RIDGE = 1e-6, 1e-4  # v_lambda and v_ridge of the vendor's action space
LEAST_MPS, SHARE = 0.15, 0.05  # 2 mm of noise stay below, 20 mm do not


def start_speed(poses: Float[np.ndarray, 'H 3'], spacing_s: float) -> float:
    """Least squares of v[i] u[i] + v[i+1] u[i+1] = 2 (p[i+1] - p[i]) / dt, its last speed [m/s].

    ``poses``: x, y [m], heading [rad], newest first; u: unit vectors of the headings.  Third
    differences over dt^3 are weighted by 1e-6, the speeds themselves by 1e-4.
    """
    x, y, heading = poses[::-1].T
    many = len(x)
    rows = np.zeros((2, many - 1, many))
    at = np.arange(many - 1)
    for axis, unit in enumerate((np.cos(heading), np.sin(heading))):
        rows[axis, at, at], rows[axis, at, at + 1] = unit[:-1], unit[1:]
    matrix = rows.reshape(-1, many)
    wanted = 2.0 / spacing_s * np.concatenate([np.diff(x), np.diff(y)])
    third = np.diff(np.eye(many), 3, axis=0) / spacing_s**3
    normal = matrix.T @ matrix + SMOOTHING * third.T @ third + RIDGE * np.eye(many)
    return float(np.linalg.solve(normal, matrix.T @ wanted)[-1])


def disagreement(estimate_mps: float, odometry_mps: float) -> Fault | None:
    """ODOM_SPEED_WARN where the two are further apart than 0.15 m/s and 5 % of the speed."""
    limit = max(LEAST_MPS, SHARE * abs(odometry_mps))
    if abs(estimate_mps - odometry_mps) <= limit:
        return None
    text = 'the speed at t0 from poses is not that of odometry: adopt with --speed odometry'
    numbers = {'poses_mps': estimate_mps, 'odometry_mps': odometry_mps, 'limit_mps': limit}
    return Fault(Code.ODOM_SPEED_WARN, text, numbers)
