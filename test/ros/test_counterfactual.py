"""The reasoning node's message has the fifth part where the text has one."""

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from alpamayo_ros.msg import ChainOfCausation, PlannedTrajectory
from alpamayo_ros.nodes.messages import events_of
from alpamayo_ros.nodes.reasoning import explain

pytestmark = pytest.mark.ros
FOUR = 'perception: a\nsituation: b\nrationale: c\nintent: keep speed'


def test_a_counterfactual_is_published_and_recorded() -> None:
    text = f'{FOUR}\ncounterfactual: without the light, I would drive on'
    made = explain(ChainOfCausation(text=text), PlannedTrajectory())
    assert made.counterfactual == 'without the light, I would drive on'
    assert made.version == 2 and made.complete
    assert events_of.words(0, made).counterfactual == made.counterfactual


def test_four_parts_are_version_1() -> None:
    made = explain(ChainOfCausation(text=FOUR), PlannedTrajectory())
    assert (made.counterfactual, made.version, made.complete) == ('', 1, True)
