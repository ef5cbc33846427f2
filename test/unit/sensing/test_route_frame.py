"""A route is placed by its frame or refused by name."""

import math

import numpy as np
import pytest

from alpamayo_ros.faults import Code
from alpamayo_ros.sensing.route_frame import PlacedRoute
from alpamayo_ros.types import EgoState

POINTS = np.array([[0.0, 0.0], [30.0, 0.0], [30.0, 20.0]])
EGO = EgoState(1, 100.0, -40.0, math.pi / 2, 5.0)


def test_a_route_in_odom_is_seen_from_the_car():
    route = PlacedRoute()
    assert route.take('odom', POINTS + (100.0, -40.0)) is None
    np.testing.assert_allclose(route.from_car(EGO)[1], (0.0, -30.0), atol=1e-9)


def test_a_route_in_base_link_stands_where_the_car_was_when_it_came():
    route = PlacedRoute()
    assert route.take('base_link', POINTS) is None
    assert route.in_odom(None) is None
    np.testing.assert_allclose(route.from_car(EGO), POINTS, atol=1e-9)
    later = EgoState(2, 100.0, -30.0, math.pi / 2, 5.0)
    np.testing.assert_allclose(route.from_car(later)[1], (20.0, 0.0), atol=1e-9)


@pytest.mark.parametrize('frame', ['map', '', 'lidar_top'])
def test_any_other_frame_is_refused_naming_both_and_ends_the_route_before(frame):
    route = PlacedRoute()
    route.take('odom', POINTS)
    fault = route.take(frame, POINTS)
    assert fault.code is Code.NAV_FORMAT
    assert repr(frame) in fault.message and "'odom'" in fault.message
    assert route.from_car(EGO) is None
    assert PlacedRoute('map', 'base').take('map', POINTS) is None
