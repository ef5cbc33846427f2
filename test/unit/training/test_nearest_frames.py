"""Which frames stand for a model's timesteps in training."""

import pytest

from alpamayo_ros.profile import Frames
from alpamayo_ros.training.nearest_frames import nearest_frames

FRAMES = Frames(count=3, spacing_s=0.25)


def test_nearest_with_their_true_ages() -> None:
    past = [(0.1 * k, f'f{k}') for k in range(11)]
    found = nearest_frames(past, 1.0, FRAMES)
    assert [item for item, _, _ in found] == ['f10', 'f7', 'f5']  # 0.75 is between: the older
    assert [age for _, age, _ in found] == pytest.approx([0.0, 0.3, 0.5])
    assert [near for _, _, near in found] == [1.0, 1.0, 1.0]


def test_what_is_not_there_yet_is_absent() -> None:
    found = nearest_frames([(0.0, 'a'), (0.1, 'b')], 0.1, FRAMES)
    assert found[0] == ('b', 0.0, 1.0)
    assert found[1] == ('a', pytest.approx(0.1), 1.0)  # wanted at -0.15
    assert found[2] == ('a', 0.0, 0.0)
