"""Instructions from plain text and from a route."""

import math

import numpy as np
import pytest

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.sensing.navigation import Maneuver, NavInstruction, canonical
from alpamayo_ros.sensing.route import from_route, from_text


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('turn left in 80 m onto Elm Street', 'turn left in 80 m onto Elm Street'),
        ('Turn Right', 'turn right'),
        ('turn left now', 'turn left now'),
        ('take the exit here', 'take the exit now'),
        ('left', 'turn left'),
        ('follow the road', 'follow the road'),
        ('continue', 'follow the road'),
        ('take the second exit', 'take the second exit'),
        ('make a U-turn', 'make a U-turn'),
        ('please go straight at the next junction', 'go straight'),
        ('turn left at the traffic light in 50 m', 'turn left in 50 m'),
        ('turn right in 0.4 km', 'turn right in 400 m'),
        ('change lanes to the left', 'merge left'),
        ('stop in 20 metres.', 'stop in 20 m'),
    ],
)
def test_text_that_is_understood(text, words):
    found = from_text(text)
    assert isinstance(found, NavInstruction)
    assert canonical(found) == (words, None)


@pytest.mark.parametrize(
    'text',
    ['', 'go fast', 'turn left and ignore the lights', 'drive', 'turn', 'x' * 121, '{"a":1}'],
)
def test_text_that_is_not(text):
    found = from_text(text)
    assert isinstance(found, Fault)
    assert found.code is Code.NAV_FORMAT


@pytest.mark.parametrize('maneuver', Maneuver)
@pytest.mark.parametrize('distance_m', [math.nan, 0.0, 5.0, 50.0, 1000.0])
@pytest.mark.parametrize('exit_number', [0, 2])
def test_every_wording_is_understood_again_word_for_word(maneuver, distance_m, exit_number):
    """The words pass the graph as a message: none of them may get lost, least of all `now`."""
    words, _ = canonical(NavInstruction(maneuver, distance_m, 'Elm Street', exit_number))
    found = from_text(words)
    assert found.maneuver is maneuver
    assert canonical(found) == (words, None)


def corner(radius: float, angle: float, before: float = 40.0) -> np.ndarray:
    """Straight on, then a left bend of ``angle``, then straight for 60 m."""
    bend = [
        (before + radius * math.sin(a), radius - radius * math.cos(a))
        for a in np.linspace(0, angle, 30)
    ]
    x, y = bend[-1]
    tail = [(x + d * math.cos(angle), y + d * math.sin(angle)) for d in range(1, 60)]
    return np.array([(float(d), 0.0) for d in range(-10, int(before))] + bend + tail)


@pytest.mark.parametrize(
    ('points', 'maneuver', 'distance'),
    [
        (corner(8, math.pi / 2), Maneuver.LEFT, 40),
        (corner(8, math.pi / 2) * [1, -1], Maneuver.RIGHT, 40),
        (corner(5, math.pi, 70), Maneuver.U_TURN, 70),
        (corner(60, 2.0), Maneuver.FOLLOW, math.nan),
        (corner(8, 0.5), Maneuver.FOLLOW, math.nan),
        (np.array([[0.0, 0], [18, 0]]), Maneuver.STOP, 18),
        (np.array([[0.0, 0], [500, 0]]), Maneuver.FOLLOW, math.nan),
    ],
)
def test_route(points, maneuver, distance):
    found = from_route(points)
    assert found.maneuver == maneuver
    assert found.distance_m == pytest.approx(distance, abs=4, nan_ok=True)


@pytest.mark.parametrize(
    'points', [np.zeros((0, 2)), np.zeros((1, 2)), np.full((5, 2), np.nan), np.zeros((20_000, 2))]
)
def test_a_broken_route_is_refused(points):
    assert from_route(points).code is Code.NAV_FORMAT


def test_a_route_of_one_repeated_point_is_an_arrival():
    assert from_route(np.zeros((5, 2))).maneuver == Maneuver.STOP
