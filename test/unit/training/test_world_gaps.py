"""tools/world_gaps.py names what of a split the random worlds never come near."""

from collections.abc import Callable
from types import ModuleType

import pytest
import typer


@pytest.fixture
def gaps(tools: Callable[[str], ModuleType]) -> ModuleType:
    return tools('world_gaps')


def test_a_number_beyond_the_worlds_is_a_gap_and_one_among_them_is_none(gaps: ModuleType) -> None:
    met = gaps.Met([float(k) for k in range(1, 101)], ['car'] * 99 + ['van'])
    assert met.lacks(50.0) == '' and met.lacks(3.5) == ''
    assert 'mostly' in met.lacks(0.5) and 'of 100' in met.lacks(140.0)
    assert met.lacks('car') == met.lacks('') == '' and met.lacks('van') == 'in 1 of 100'
    assert gaps.Met().lacks(1.0) == 'never' and gaps.Met().lacks('bus') == 'in 0 of 0'
    assert gaps.Met([0.0] * 90 + [1.0] * 10).lacks(1.0) == '', 'an end that is often met'


def test_a_split_that_is_not_there_is_named(gaps: ModuleType) -> None:
    with pytest.raises(typer.BadParameter, match="no suite 'nope'; there are train"):
        gaps.main('nope')


def test_towns_of_val_are_named_and_those_of_train_are_not(
    gaps: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    gaps.main('val', worlds=150)
    assert 'left_after_red: traffic of town: town town_2: in 0 of' in capsys.readouterr().out
    gaps.main('train', worlds=150)
    assert 'town town_1' not in capsys.readouterr().out
