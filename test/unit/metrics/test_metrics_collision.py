"""Boxes worked by hand: when they touch, where the ego is off the road."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from alpamayo_ros import metrics
from alpamayo_ros.metrics.collision import ego_boxes
from alpamayo_ros.metrics.offroad import corners

CAR = metrics.Footprint(1.5, 4.0, 2.0)  # from 0.5 m behind the rear axle to 3.5 m ahead
POSES = np.column_stack([np.arange(1.0, 7.0), np.zeros(6), np.zeros(6)])


def box(x, y, heading=0.0, length=4.0, width=2.0):
    return np.array([x, y, heading, length, width], float)


@pytest.mark.parametrize(
    ('other', 'expected'),
    [
        (box(4.0, 0.0), True),  # bumper on bumper touches
        (box(4.0 + 1e-6, 0.0), False),
        (box(0.0, 2.0), True),
        (box(0.0, 2.0 + 1e-6), False),
        (box(4.0, 2.0), True),  # corner on corner
        (box(0.1, 0.1, 0.3, 0.5, 0.5), True),  # inside
        (box(0.0, 0.0, np.pi / 2, 30.0, 0.2), True),  # a cross: no corner lies in the other
        (box(2.7, 1.7, np.pi / 4, 2.0, 2.0), True),  # its corner points at ours
        (box(2.8, 1.8, np.pi / 4, 2.0, 2.0), False),  # the boxes around them would touch
    ],
)
def test_overlap_by_hand(other, expected):
    assert bool(metrics.overlap(box(0, 0), other)) is expected
    assert bool(metrics.overlap(other, box(0, 0))) is expected


def test_overlap_broadcasts_rows():
    ours = np.stack([box(0, 0), box(10, 0)])[:, None]
    theirs = np.stack([box(1, 0), box(11, 0), box(50, 0)])[None]
    np.testing.assert_array_equal(
        metrics.overlap(ours, theirs), [[True, False, False], [False, True, False]]
    )


def test_a_number_that_is_not_finite_counts_as_contact():
    assert bool(metrics.overlap(box(np.nan, 0), box(100, 0)))


def test_the_ego_box_lies_ahead_of_the_rear_axle():
    found = ego_boxes(np.array([[10.0, 5.0, np.pi / 2]]), CAR)
    np.testing.assert_allclose(found, [[10.0, 6.5, np.pi / 2, 4.0, 2.0]])


def test_contact_at_the_times_the_object_is_there():
    """A car from 6.5 to 10.5 m: the front, 3.5 m ahead of the axle, reaches it at x = 3 m."""
    there = box(8.5, 0.0)[None]
    flags = metrics.collision_at_times(POSES, CAR, [there] * 6)
    np.testing.assert_array_equal(flags, [False, False, True, True, True, True])
    gone = [there, there, np.zeros((0, 5)), np.zeros((0, 5)), there, there]
    flags = metrics.collision_at_times(POSES, CAR, gone)
    np.testing.assert_array_equal(flags, [False, False, False, False, True, True])


@pytest.mark.parametrize(('t', 'expected'), [(1.0, 0.0), (1.5, 1.0), (3.0, 1.0), (3.5, None)])
def test_collision_up_to_t(t, expected):
    objects = [box(8.5, 0.0)[None]] * 6
    assert metrics.collision_up_to_t(POSES, CAR, objects, t, 0.5) == expected


@pytest.mark.parametrize(
    'objects',
    [
        None,
        [np.zeros((0, 5))] * 5,  # one time short
        [np.zeros((0, 5))] * 5 + [None],
        [np.full((1, 5), np.nan)] * 6,
        [box(50, 0, 0, -4.0)[None]] * 6,
    ],
)
def test_unknown_or_broken_objects_are_not_evaluable(objects):
    assert metrics.collision_at_times(POSES, CAR, objects) is None
    assert metrics.collision_up_to_t(POSES, CAR, objects, 3.0, 0.5) is None


def test_objects_known_for_the_first_second_only_are_enough_for_one_second():
    objects = [np.zeros((0, 5))] * 2 + [None] * 4
    assert metrics.collision_up_to_t(POSES, CAR, objects, 1.0, 0.5) == 0.0
    assert metrics.collision_up_to_t(POSES, CAR, objects, 2.0, 0.5) is None


def test_a_broken_pose_is_not_evaluable():
    poses = POSES.copy()
    poses[2, 2] = np.nan
    road = shapely.box(-5, -3, 50, 3)
    assert metrics.collision_at_times(poses, CAR, [np.zeros((0, 5))] * 6) is None
    assert metrics.offroad(poses, CAR, road) is None
    assert metrics.offroad_up_to_end(poses, CAR, road) is None


def test_corners_run_counter_clockwise_from_the_front_left():
    found = corners(np.array([[10.0, 0.0, np.pi / 2, 4.0, 2.0]]))
    np.testing.assert_allclose(found[0], [[9, 2], [9, -2], [11, -2], [11, 2]], atol=1e-12)


@pytest.mark.parametrize(('y', 'off'), [(2.0, False), (2.29, False), (2.31, True), (-2.31, True)])
def test_a_corner_may_be_thirty_centimetres_outside(y, off):
    poses = np.array([[5.0, y, 0.0]])
    road = shapely.box(-5, -3, 50, 3)
    np.testing.assert_array_equal(metrics.offroad(poses, CAR, road), [off])
    assert metrics.offroad_up_to_end(poses, CAR, road) == float(off)


def test_several_polygons_make_one_drivable_area():
    area = shapely.MultiPolygon([shapely.box(-5, -3, 4, 3), shapely.box(4, -3, 50, 3)])
    assert metrics.offroad_up_to_end(POSES, CAR, area) == 0.0


@pytest.mark.parametrize('area', [None, shapely.Polygon()])
def test_without_a_drivable_area_off_road_is_not_evaluable(area):
    assert metrics.offroad(POSES, CAR, area) is None
    assert metrics.offroad_up_to_end(POSES, CAR, area) is None
    assert metrics.offroad_up_to_end(np.zeros((0, 3)), CAR, shapely.box(0, 0, 1, 1)) is None
