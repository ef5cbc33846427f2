"""Plans as Autoware follows them: the point at t0, the map's frame, what is refused."""

from __future__ import annotations

from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest

from alpamayo_ros.bridges.autoware.points import (
    Points,
    from_columns,
    from_path,
    in_map,
    with_start,
)

DT, WHEELBASE_M = 0.1, 2.7


def arc(speed_mps: float = 5.0, pull_mps2: float = 1.0, bend_1pm: float = 0.05) -> Points:
    """A drive along an arc, as a plan has it: from the first step on."""
    time_s = np.arange(1, 61) * DT
    speed = speed_mps + pull_mps2 * time_s
    way = speed_mps * time_s + pull_mps2 * time_s**2 / 2
    heading = bend_1pm * way
    x, y = np.sin(heading) / bend_1pm, (1 - np.cos(heading)) / bend_1pm
    pull = np.full(60, pull_mps2)
    steering = np.full(60, np.arctan(WHEELBASE_M * bend_1pm))
    return Points(time_s, x, y, heading, speed, pull, speed * bend_1pm, steering)


def test_the_state_of_t0_comes_first() -> None:
    found = with_start(arc())
    assert len(found.time_s) == 61
    assert found.time_s[0] == found.x_m[0] == found.y_m[0] == found.heading_rad[0] == 0.0
    assert found.speed_mps[0] == pytest.approx(5.0)
    assert found.acceleration_mps2[0] == 1.0 and found.steering_rad[0] == arc().steering_rad[0]
    assert (np.diff(found.time_s) > 0).all()


def test_a_stop_does_not_begin_backwards() -> None:
    rest = replace(arc(), speed_mps=np.zeros(60), acceleration_mps2=np.full(60, 1.0))
    assert with_start(rest).speed_mps[0] == 0.0


def test_in_the_map_a_plan_lies_where_the_car_stood() -> None:
    found = in_map(with_start(arc()), 100.0, -50.0, np.pi / 2)
    assert (found.x_m[0], found.y_m[0]) == (100.0, -50.0)
    assert found.heading_rad[0] == np.pi / 2
    near = np.hypot(found.x_m - 100.0, found.y_m + 50.0)
    assert np.allclose(near, np.hypot(with_start(arc()).x_m, with_start(arc()).y_m))
    assert found.y_m[-1] > -50.0 + 10.0 and found.x_m[-1] < 100.0  # up the map, and to the left


def test_of_a_candidate_the_rest_follows_from_poses_and_speeds() -> None:
    whole = arc()
    columns = (whole.x_m, whole.y_m, whole.heading_rad, whole.speed_mps)
    found = from_path(DT, *columns, WHEELBASE_M)
    assert np.allclose(found.acceleration_mps2, 1.0)
    assert np.allclose(found.yaw_rate_rps, whole.yaw_rate_rps, atol=0.006)
    assert np.allclose(found.steering_rad, whole.steering_rad, atol=0.002)


def test_a_standing_candidate_has_a_straight_wheel() -> None:
    still = np.zeros(60)
    assert not from_path(DT, still, still, still, still, WHEELBASE_M).steering_rad.any()


def test_columns_of_a_plan_are_read_by_name() -> None:
    whole = arc()
    message = SimpleNamespace(
        **{f.name: getattr(whole, f.name) for f in fields(Points)}, time_from_start_s=whole.time_s
    )
    assert np.array_equal(from_columns(message).speed_mps, whole.speed_mps)


@pytest.mark.parametrize(
    ('name', 'value', 'said'),
    [
        ('x_m', np.zeros(3), 'one length'),
        ('y_m', np.full(60, np.nan), 'finite'),
        ('time_s', np.zeros(60), 'strictly increase'),
    ],
)
def test_what_is_no_path_is_refused(name: str, value: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(arc(), **{name: value})
