"""What a good driver makes of the actors: whom it stops for, where it goes, when it waits."""

import math

import pytest

from alpamayo_ros.simulation.actors.actor import EgoNow, Placed
from alpamayo_ros.simulation.actors.hazards import hazards, way_now
from alpamayo_ros.simulation.actors.way import Shift, Way, of_closure
from alpamayo_ros.simulation.scenario import Closure

GREY = (0.5, 0.5, 0.5)
EGO = EgoNow(5.0, 50.0, 36.0, 8.0)  # at 8 m/s, its bumper at arc 50


def there(kind: str, arc_m: float, offset_m: float, turned_rad: float = 0.0, speed: float = 0.0,
          **more) -> Placed:  # fmt: skip
    place = (arc_m, offset_m, turned_rad, speed, more.pop('acceleration', 0.0))
    return Placed(more.pop('id', 500), kind, *place, GREY, **more)


def seen(*placed: Placed, way: Way | None = None, ego: EgoNow = EGO) -> list:
    return hazards(placed, way or Way(), ego, 0.9)


def test_a_vehicle_in_the_lane_counts_with_its_speed_and_one_beside_it_does_not() -> None:
    (found,) = seen(there('van', 80, 0.3, 0.0, 6.0, acceleration=-2.0))
    assert found.vehicle and not found.final
    assert (found.car.rear_arc_m, found.car.speed_mps, found.car.acceleration_mps2) == (
        77.25,
        6,
        -2,
    )
    assert seen(there('car', 80, 3.5, 0.0, 6.0)) == []
    assert seen(there('car', 80, 3.5, math.pi, 6.0)) == [], 'oncoming in its own lane'
    assert seen(there('car', 130, 0.0)) == seen(there('car', 40, 0.0)) == [], 'far or behind'


def test_a_vehicle_that_moves_into_the_lane_counts_before_it_is_there() -> None:
    assert seen(there('car', 70, 2.9, 0.0, 8.0)) == []
    assert len(seen(there('car', 70, 2.9, -0.12, 8.0))) == 1
    assert seen(there('car', 70, 2.9, 0.12, 8.0)) == [], 'it moves away'


@pytest.mark.parametrize(
    ('offset_m', 'across_mps', 'stops'),
    [
        (-4.0, 0.0, False),  # stands on the verge
        (-4.0, 1.4, True),  # steps in before the ego has passed
        (-4.0, -1.4, False),  # walks away
        (4.0, -1.4, True),  # from the left
        (-14.0, 1.4, False),  # comes when the ego is long gone
        (0.0, 0.0, True),  # stands in the lane
        (1.0, 1.4, True),  # still in the way
        (1.9, 1.4, False),  # has left it
        (1.9, -1.4, True),  # comes back
    ],
)
def test_people_count_when_they_are_or_will_be_in_the_way(
    offset_m: float, across_mps: float, stops: bool
) -> None:
    turned = math.copysign(math.pi / 2, across_mps)
    found = seen(there('pedestrian', 75, offset_m, turned, abs(across_mps)))
    assert bool(found) is stops
    if stops:
        assert found[0].car.speed_mps == 0 and 74 < found[0].car.rear_arc_m < 75
        assert not found[0].vehicle and not found[0].final


def test_things_count_where_the_way_touches_them_and_they_stay() -> None:
    (box,) = seen(there('debris_box', 80, 0.5, final=True))
    assert box.final and not box.vehicle
    assert seen(there('debris_box', 80, 1.6)) == []
    assert seen(there('cone', 80, -0.9), way=Way((Shift(60, 100, 1.2, 10),))) == []
    assert len(seen(there('cone', 80, 0.9), way=Way((Shift(60, 100, 1.2, 10),)))) == 1


def test_a_shift_comes_and_goes_smoothly_and_is_slow_enough() -> None:
    shift = Shift(80, 100, 3.3, 24)
    way = Way((shift,))
    assert [way.at(s) for s in (50, 56, 80, 100, 124, 140)] == [0, 0, 3.3, 3.3, 0, 0]
    assert way.at(68) == pytest.approx(1.65) == way.at(112)
    h = 0.01
    bend = max(abs(way.at(s + h) - 2 * way.at(s) + way.at(s - h)) / h**2 for s in range(57, 79))
    assert bend * shift.speed_mps**2 <= 1.2 * 1.02
    assert way.limit(80) == shift.speed_mps < way.limit(40) < way.limit(20)
    assert way.limit(130) == math.inf == Way().limit(0) and Way().at(5) == 0.0


def test_works_and_debris_shift_the_way_and_a_closed_road_does_not() -> None:
    works = of_closure(Closure(from_m=70, to_m=90, shift_m=1.0))
    assert works is not None and works.at(75) == 1.0 and works.at(93) == 1.0 and works.at(30) == 0
    assert of_closure(Closure(from_m=70, to_m=90, kind='lane_closure')) is None
    boxes = [there('debris_box', s, 0.0, detour_m=2.5, id=2000 + s) for s in (80, 84)]
    (shift,) = way_now((), boxes, EGO).shifts
    assert shift.shift_m == 2.5 and shift.from_m < 76 and shift.to_m > 84
    assert way_now((), [there('debris_box', 80, 0.0)], EGO).shifts == ()


@pytest.mark.parametrize(
    ('arc_m', 'speed', 'offset_m', 'waits'),
    [
        (110, 8.0, 3.5, True),  # would be met in the other lane
        (300, 8.0, 3.5, False),  # far enough
        (60, 8.0, 3.5, False),  # already past the beginning of the way
        (110, 0.0, 3.5, False),  # stands: no reason to wait for ever
    ],
)
def test_it_waits_before_the_other_lane_for_who_comes(
    arc_m: float, speed: float, offset_m: float, waits: bool
) -> None:
    way = Way((Shift(90, 105, 3.3, 22),))
    found = [h for h in seen(there('car', arc_m, offset_m, math.pi, speed), way=way)
             if not h.vehicle]  # fmt: skip
    assert bool(found) is waits
    if waits:
        line = next(h for h in found if h.car.rear_arc_m == 68 + 5)
        assert not line.final and line.car.speed_mps == 0
    inside = EgoNow(5.0, 75.0, 60.0, 5.0)
    standing = [h for h in seen(there('car', 130, 3.5, math.pi, 8.0), way=way, ego=inside)
                if h.car.rear_arc_m == 73]  # fmt: skip
    assert standing == [], 'who has begun to pass goes on'


def test_it_makes_room_for_a_siren_from_behind_and_for_one_that_comes() -> None:
    behind = way_now((), [there('emergency_car', 30, 3.5, 0.0, 14.0)], EGO)
    assert behind.at(52) == -0.4
    assert way_now((), [there('car', 30, 3.5, 0.0, 14.0)], EGO).at(52) == 0.0
    assert way_now((), [there('emergency_car', 80, 3.5, 0.0, 14.0)], EGO).at(52) == 0.0
    comes = there('emergency_car', 90, 2.2, math.pi, 12.0, detour_m=-0.5)
    assert way_now((), [comes], EGO).at(55) == -0.5
