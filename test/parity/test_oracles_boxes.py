"""Boxes and footprints against commonroad's collision checker and shapely.

Both of our tests (``metrics.overlap`` for arrays, ``oriented_boxes.overlap`` for two boxes) must
say what the oracle says, unless growing or shrinking the boxes by a nanometre changes it.
"""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely import affinity

from alpamayo_ros import metrics
from alpamayo_ros.metrics.offroad import corners
from alpamayo_ros.simulation import oriented_boxes

TOLERANCE_M = 1e-9
ANGLES = st.floats(-7, 7) | st.sampled_from([k * np.pi / 4 for k in range(-4, 9)])
PLACES = st.floats(-6, 6) | st.sampled_from([-4.0, -2.0, 0.0, 2.0, 4.0])
SIZES = st.floats(0.01, 8) | st.sampled_from([0.5, 2.0, 4.0])
BOXES = st.tuples(PLACES, PLACES, ANGLES, SIZES, SIZES)


def commonroad(a, b) -> bool:
    pycrcc = pytest.importorskip(
        'commonroad_dc.pycrcc', reason='requirements/oracles.txt is not installed: ./run test'
    )
    one, other = (pycrcc.RectOBB(v[3] / 2, v[4] / 2, v[2], v[0], v[1]) for v in (a, b))
    return one.collide(other)


def polygon(box) -> shapely.Polygon:
    """By rotation and translation of a rectangle, a way that shares no code with ours."""
    x, y, heading, length, width = (float(v) for v in box)
    flat = shapely.box(-length / 2, -width / 2, length / 2, width / 2)
    turned = affinity.rotate(flat, heading, origin=(0, 0), use_radians=True)
    return affinity.translate(turned, x, y)


def grown(box, by: float) -> np.ndarray:
    return np.asarray(box, float) + [0, 0, 0, by, by]


def clear_cut(a, b) -> bool:
    """Whether a nanometre more or less does not matter."""
    answers = {bool(metrics.overlap(grown(a, d), grown(b, d))) for d in (-1e-9, 1e-9)}
    return len(answers) == 1


def assert_same(a, b) -> None:
    ours = bool(metrics.overlap(np.asarray(a, float), np.asarray(b, float)))
    theirs = oriented_boxes.overlap(oriented_boxes.Box(*a), oriented_boxes.Box(*b))
    if clear_cut(a, b):
        assert ours == theirs == commonroad(a, b) == polygon(a).intersects(polygon(b))


@settings(max_examples=300)
@given(BOXES, BOXES)
@example((0, 0, 0, 4, 2), (4, 0, 0, 4, 2))  # bumper on bumper
@example((0, 0, 0, 4, 2), (4, 2, 0, 4, 2))  # corner on corner
@example((0, 0, 0, 9, 0.1), (0, 0, np.pi / 2, 9, 0.1))  # a cross: no corner inside the other
@example((0, 0, 0.3, 8, 8), (0.1, 0, 1.0, 0.01, 0.01))  # one inside the other
def test_overlap_is_what_commonroad_and_shapely_say(a, b):
    assert_same(a, b)


def test_overlap_of_many_random_boxes():
    """4000 pairs, about half of them touching; no disagreement."""
    rng = np.random.default_rng(7)
    a, b = (
        np.column_stack(
            [
                rng.uniform(-4, 4, (4000, 2)),
                rng.uniform(-4, 4, 4000),
                rng.uniform(0.1, 6, (4000, 2)),
            ]
        )
        for _ in range(2)
    )
    ours = metrics.overlap(a, b)
    truth = [commonroad(x, y) for x, y in zip(a, b, strict=True)]
    assert 0.2 < ours.mean() < 0.8
    np.testing.assert_array_equal(ours, truth)
    ones = [
        oriented_boxes.overlap(oriented_boxes.Box(*x), oriented_boxes.Box(*y))
        for x, y in zip(a, b, strict=True)
    ]
    np.testing.assert_array_equal(ones, truth)


def test_boxes_a_millimetre_apart_or_into_each_other():
    """Where shapely puts two polygons at a known distance, ours sees the same sign."""
    rng = np.random.default_rng(8)
    for _ in range(300):
        a = np.array([0, 0, rng.uniform(-4, 4), *rng.uniform(0.5, 5, 2)])
        way = rng.uniform(-np.pi, np.pi)
        b = np.array([0, 0, rng.uniform(-4, 4), *rng.uniform(0.5, 5, 2)])
        direction = np.array([np.cos(way), np.sin(way)])
        near, far = 0.0, 20.0  # bisect shapely's distance for the contact
        for _ in range(50):
            middle = (near + far) / 2
            apart = polygon([*(middle * direction), *b[2:]]).distance(polygon(a)) > 0
            near, far = (near, middle) if apart else (middle, far)
        for step, expected in ((1e-3, False), (1e-7, False), (-1e-7, True), (-1e-3, True)):
            moved = np.array([*((far + step) * direction), *b[2:]])
            assert bool(metrics.overlap(a, moved)) is expected
            assert commonroad(a, moved) is expected


@settings(max_examples=60)
@given(st.lists(BOXES, min_size=1, max_size=5))
def test_corners_are_those_of_a_turned_rectangle(boxes):
    found = corners(np.array(boxes, float))
    for box, four in zip(boxes, found, strict=True):
        assert shapely.Polygon(four).exterior.is_ccw
        np.testing.assert_allclose(four, oriented_boxes.Box(*box).corners(), atol=1e-12)
        apart = shapely.Polygon(four).hausdorff_distance(polygon(box))
        assert apart < TOLERANCE_M


def outside_by(point, ring) -> float:
    """Distance of a point to a convex polygon (counter-clockwise), 0 inside, by hand."""
    ring = np.asarray(ring, float)
    a, b = ring, np.roll(ring, -1, axis=0)
    edge, to = b - a, point - a
    inside = (edge[:, 0] * to[:, 1] - edge[:, 1] * to[:, 0] >= 0).all()
    share = np.clip((to * edge).sum(1) / (edge**2).sum(1), 0, 1)
    return 0.0 if inside else float(np.hypot(*(to - share[:, None] * edge).T).min())


def test_off_road_is_a_corner_too_far_from_a_convex_area():
    """2000 poses beside random convex areas; distances by point and segment, no shapely."""
    rng = np.random.default_rng(9)
    disagree = seen = 0
    for _ in range(20):
        angle = np.sort(rng.uniform(0, 2 * np.pi, 8))
        ring = 12 * np.column_stack([np.cos(angle), np.sin(angle)])
        poses = np.column_stack([rng.uniform(-12, 12, (100, 2)), rng.uniform(-4, 4, 100)])
        flags = metrics.offroad(poses, (1.4, 4.5, 1.8), shapely.Polygon(ring))
        for pose, flag in zip(poses, flags, strict=True):
            middle = pose[:2] + 1.4 * np.array([np.cos(pose[2]), np.sin(pose[2])])
            four = oriented_boxes.Box(*middle, pose[2], 4.5, 1.8).corners()
            disagree += (max(outside_by(p, ring) for p in four) > 0.3) != flag
            seen += flag
    assert disagree == 0 and 100 < seen < 1900
