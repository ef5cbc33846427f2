"""The shape types of the core are really checked under pytest."""

import os

import numpy as np
import pytest

from alpamayo_ros.types import FrameSet


def test_wrong_shape_is_refused_under_pytest() -> None:
    with pytest.raises(Exception, match='images|type'):
        FrameSet(0, np.zeros((7, 64, 112), np.uint8), np.zeros(7, np.int64), np.ones(7, bool))


def test_right_shape_is_accepted() -> None:
    frames = FrameSet(
        0, np.zeros((7, 64, 112, 3), np.uint8), np.zeros(7, np.int64), np.ones(7, bool)
    )
    assert frames.images.shape == (7, 64, 112, 3)


def test_every_test_has_a_domain_of_its_own(ros_domain: int) -> None:
    assert os.environ['ROS_DOMAIN_ID'] == str(ros_domain)
    assert 1 <= ros_domain <= 100
