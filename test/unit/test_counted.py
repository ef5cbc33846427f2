"""One clip, two clips."""

import pytest

from alpamayo_ros.units import counted


@pytest.mark.parametrize(
    ('count', 'one', 'several', 'said'),
    [
        (0, 'clip', '', '0 clips'),
        (1, 'clip', '', '1 clip'),
        (2, 'clip', '', '2 clips'),
        (1, 'family', 'families', '1 family'),
        (3, 'family', 'families', '3 families'),
    ],
)
def test_a_count_has_its_noun(count: int, one: str, several: str, said: str):
    assert counted(count, one, several) == said
