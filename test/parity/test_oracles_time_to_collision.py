"""Time to collision against loops over shapely's polygons; headings against scipy's rotations."""

from __future__ import annotations

import math

import numpy as np
import shapely
from scipy.signal import savgol_filter
from scipy.spatial.transform import Rotation
from shapely import affinity

from alpamayo_ros import metrics

CAR = (1.4, 4.5, 1.8)


def polygon(x: float, y: float, heading: float, length: float, width: float) -> shapely.Polygon:
    flat = shapely.box(-length / 2, -width / 2, length / 2, width / 2)
    turned = affinity.rotate(flat, heading, origin=(0, 0), use_radians=True)
    return affinity.translate(turned, x, y)


def least_gap_m(path: np.ndarray, speed: np.ndarray, boxes: list[np.ndarray]) -> float:
    """The smallest distance of ego and anybody ahead within 0.9 s of going straight on."""
    least = math.inf
    for (x, y, h), v, others in zip(path[:30], speed, boxes, strict=False):
        for ox, oy, oh, length, width, ov in others:
            if (ox - x) * math.cos(h) + (oy - y) * math.sin(h) <= 0:
                continue
            for t in np.arange(10) * 0.1:
                cx, cy = x + (CAR[0] + v * t) * math.cos(h), y + (CAR[0] + v * t) * math.sin(h)
                ego = polygon(cx, cy, h, CAR[1], CAR[2])
                they = polygon(
                    ox + ov * t * math.cos(oh), oy + ov * t * math.sin(oh), oh, length, width
                )
                least = min(least, ego.distance(they))
    return least


def test_time_to_collision_is_that_of_polygons():
    rng = np.random.default_rng(4)
    verdicts = []
    for _ in range(25):
        heading = np.cumsum(rng.normal(0, 0.02, 60))
        speed = np.full(60, float(rng.uniform(2, 12)))
        step = 0.1 * speed[:, None] * np.stack([np.cos(heading), np.sin(heading)], 1)
        path = np.column_stack([np.cumsum(step, 0), heading])
        boxes = []
        start, turn, v = rng.uniform([5, -9], [40, 9]), rng.uniform(-3, 3), rng.uniform(0, 8)
        for k in range(60):
            where = start + 0.1 * k * v * np.array([math.cos(turn), math.sin(turn)])
            boxes.append(np.array([[*where, turn, 4.5, 1.8, v]]))
        gap = least_gap_m(path, speed, boxes)
        found = metrics.ttc_within_bound(path, speed, CAR, boxes, 0.1)
        verdicts.append(found)
        if not 0 < gap < 1e-6:
            assert found == float(gap > 0)
    assert 0.0 in verdicts
    assert 1.0 in verdicts


def test_heading_errors_are_angles_of_rotations():
    rng = np.random.default_rng(5)
    path, truth = rng.uniform(-9, 9, (60, 3)), rng.uniform(-9, 9, (60, 3))
    planned, driven = (Rotation.from_rotvec(h[:, 2:] * [0, 0, 1]) for h in (path, truth))
    between = planned * driven.inv()
    angles = between.magnitude()
    found = metrics.heading_errors(path, truth)
    np.testing.assert_allclose(found['heading_error_mean'], angles.mean(), atol=1e-12)
    np.testing.assert_allclose(found['heading_error_end'], angles[-1], atol=1e-12)


def test_lateral_jerk_is_that_of_savgol_filter():
    rng = np.random.default_rng(6)
    speed, yaw_rate = rng.uniform(2, 12, 61), rng.normal(0, 0.1, 61)
    smooth = savgol_filter(speed * yaw_rate, 8, 2)
    expected = np.abs(savgol_filter(smooth, 15, 2, deriv=1, delta=0.1)).max()
    np.testing.assert_allclose(metrics.lateral_jerk_max(speed, yaw_rate, 0.1), expected, atol=1e-8)
