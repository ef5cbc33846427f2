"""A log whose recording says two things about one: speeds against places, heading against way."""

import numpy as np
import pytest

from alpamayo_ros.datasets.log_build import Material, Seen, build
from alpamayo_ros.datasets.log_format import Log, LogError, Provenance

ABOUT = Provenance(source='made up', licence='CC0')
TIME_S = np.arange(61) * 0.1


def seen(
    name: str, went_mps: float = 8.0, said_mps: float | None = 8.0, heading_rad: float = 0.0
) -> Seen:
    """Somebody who goes straight on along x."""
    xy = np.stack([went_mps * TIME_S, np.full_like(TIME_S, 4.0 * (name != 'ego'))], 1)
    speed = None if said_mps is None else np.full_like(TIME_S, said_mps)
    heading = np.full_like(TIME_S, heading_rad)
    return Seen(name, 'car', 4.5, 1.8, TIME_S, xy, heading, speed)


def log(ego: Seen, *agents: Seen) -> Log:
    return build(Material('made', ABOUT, ego, agents))


@pytest.mark.parametrize('said_mps', [80.0, 0.0, 28.8])
def test_speeds_that_the_places_contradict_are_those_of_the_places(said_mps: float) -> None:
    """m/s written as km/h, ten times as fast, or none at all."""
    made = log(seen('ego'), seen('7', said_mps=said_mps))
    assert np.allclose(made.agents[0].speed_mps, 8.0)
    assert made.provenance.assumed == (
        'speeds, 1 track: from the places, which the recorded ones contradict',
    )


def test_speeds_that_differ_a_little_are_kept() -> None:
    slow, fast = seen('1', 1.0, 2.5), seen('2', 20.0, 24.0)
    made = log(seen('ego', said_mps=9.0), slow, fast)
    assert made.provenance.assumed == () and made.ego.speed_mps[3] == 9.0
    assert [track.speed_mps[3] for track in made.agents] == [2.5, 24.0]


@pytest.mark.parametrize('heading_rad', [1.57, -1.2, 90.0])
def test_an_ego_that_heads_off_its_way_is_refused(heading_rad: float) -> None:
    with pytest.raises(LogError, match='degrees off its way'):
        log(seen('ego', heading_rad=heading_rad))


@pytest.mark.parametrize(('went_mps', 'heading_rad'), [(8.0, np.pi), (8.0, 6.5), (0.5, 1.57)])
def test_backwards_another_turn_and_standing_are_no_wrong_heading(
    went_mps: float, heading_rad: float
) -> None:
    log(seen('ego', went_mps, went_mps, heading_rad))
