"""Scripted actors: where they are and when, the same again, harder with severity."""

import math

import numpy as np
import pytest

from alpamayo_ros.simulation import actor_models as models
from alpamayo_ros.simulation.actors.actor import SIZES, EgoNow, Placed
from alpamayo_ros.simulation.actors.crossing import CrossingActor
from alpamayo_ros.simulation.actors.scenario_actors import build
from alpamayo_ros.simulation.actors.standing import DebrisActor, RoadWorksActor, StoppedActor, bend
from alpamayo_ros.simulation.actors.track import Track, slope, smooth
from alpamayo_ros.simulation.actors.vary import vary
from alpamayo_ros.simulation.actors.vehicles import (
    BrakingLeaderActor,
    CutInActor,
    LostLoadActor,
    OncomingVehicle,
)
from alpamayo_ros.simulation.road import Road
from alpamayo_ros.simulation.scenario import Closure, load_scenario, scenario_names
from alpamayo_ros.simulation.scenery.kind_mesh import KINDS

ROAD, STRAIGHT = Road(1), Road(1, curvature_scale=0.0)
HALF_WIDTH_M = 0.9


def cruise(actor, speed_mps: float = 8.0, until_s: float = 20.0) -> list[tuple[EgoNow, Placed]]:
    """An ego at constant speed from arc 13.6 on, and the actor's first agent beside it."""
    out = []
    for k in range(int(until_s * 10)):
        ego = EgoNow(k / 10, 13.6 + speed_mps * k / 10, speed_mps * k / 10, speed_mps)
        actor.notice(ego)
        if placed := actor.placed(k / 10):
            out.append((ego, placed[0]))
    return out


def test_a_knob_lies_between_its_ends_and_a_number_stays() -> None:
    assert [models.knob((6.0, 2.0), s) for s in (0, 0.5, 1)] == [6, 4, 2]
    assert models.knob(3.5, 0.7) == 3.5


def test_a_track_keeps_arc_and_speed_continuous_and_reaches_what_it_is_told() -> None:
    track = Track(20.0, 8.0, 1.0)
    assert track.reach(2.0, 0.0, 4.0) == 4.0
    assert track.reach(6.0, 5.0, 2.5) == 8.0
    assert track.at(2.0) == (28.0, 8.0, -4.0) and track.at(3.0) == (34.0, 4.0, -4.0)
    assert track.at(5.0) == (36.0, 0.0, 0.0) and track.at(9.0) == (46.0, 5.0, 0.0)
    times = np.arange(1.0, 10.0, 0.01)
    arcs = np.array([track.at(t)[0] for t in times])
    assert (np.diff(arcs) >= -1e-9).all() and np.diff(arcs).max() < 0.081
    track.reach(9.0, 0.0, 5.0)
    assert track.at(20.0) == (48.5, 0.0, 0.0), 'what was said last holds'


def test_slope_is_the_derivative_of_smooth() -> None:
    x = np.linspace(0.01, 0.99, 50)
    found = [(smooth(v + 1e-6) - smooth(v - 1e-6)) / 2e-6 for v in x]
    assert found == pytest.approx([slope(v) for v in x], abs=1e-6)
    assert smooth(-1) == 0 and smooth(2) == 1 and slope(-1) == slope(2) == 0


def test_actors_are_as_large_as_their_meshes() -> None:
    for kind, (length, width) in SIZES.items():
        if KINDS[kind].length_m:
            assert (length, width) == (KINDS[kind].length_m, KINDS[kind].width_m), kind


def leader(severity: float, **more) -> BrakingLeaderActor:
    model = models.BrakingLeader(kind='braking_leader', **more)
    return BrakingLeaderActor(model, STRAIGHT, 3, severity, 13.6)


def test_a_leader_brakes_as_hard_as_the_knob_says_with_its_lamps_on() -> None:
    for severity, expected in ((0.0, 3.0), (0.5, 5.0), (1.0, 7.0)):
        seen = cruise(leader(severity, gap_m=20, speed_mps=8, hold_s=2), 7.0)
        assert min(p.acceleration_mps2 for _, p in seen) == -expected
        assert all(p.braking for _, p in seen if p.acceleration_mps2 < -1)
        assert min(p.speed_mps for _, p in seen) == 0.0 and seen[-1][1].speed_mps == 8.0
    dark = cruise(leader(1.0, gap_m=20, lamps=False), 6.0)
    assert not any(p.braking for _, p in dark)


def test_a_leader_waits_for_an_ego_that_is_far_behind_before_it_brakes() -> None:
    actor = leader(1.0, gap_m=60, speed_mps=5, trigger_m=20)
    seen = [(p.arc_m - e.front_arc_m, p.acceleration_mps2) for e, p in cruise(actor, 8.0)]
    assert min(a for away, a in seen if away > 45) >= 0
    assert min(a for away, a in seen if away < 45) == -7.0


def cut_in(severity: float, **more) -> list[tuple[EgoNow, Placed]]:
    model = models.CutIn(kind='cut_in', **more)
    return cruise(CutInActor(model, 3, severity, 13.6, 0))


def when_inside(seen: list[tuple[EgoNow, Placed]]) -> tuple[EgoNow, Placed]:
    """The first moment at which the car touches the ego's lane."""
    return next((e, p) for e, p in seen if abs(p.offset_m) - p.half_m[1] < 1.75)


def test_an_overtaker_comes_from_behind_and_pulls_in_the_closer_the_harder() -> None:
    gaps = []
    for severity in (0.0, 0.5, 1.0):
        seen = cut_in(severity, side='left', gap_m=(10, 4), then_mps=5)
        first = seen[0]
        assert first[1].arc_m < first[0].front_arc_m - 25 and first[1].offset_m == 3.5
        ego, car = when_inside(seen)
        gaps.append(car.arc_m - car.half_m[0] - ego.front_arc_m)
        assert seen[-1][1].offset_m == 0.0 and 5.0 <= seen[-1][1].speed_mps < 6.5
        beside = [p for e, p in seen if e.time_s < ego.time_s and p.arc_m - 2.25 < e.front_arc_m]
        assert beside and all(p.offset_m > 3 for p in beside)
    assert gaps[0] > gaps[1] + 2 > gaps[2] + 4 > 4


def test_a_parked_car_pulls_out_the_later_the_harder_and_heads_where_it_goes() -> None:
    left = []
    for severity in (0.0, 1.0):
        seen = cut_in(severity, side='right', at_m=90, lane_m=2.9, ahead_s=(5, 3))
        ego, car = next((e, p) for e, p in seen if p.speed_mps > 0)
        left.append((90 - ego.front_arc_m) / ego.speed_mps)
        offsets = [p.offset_m for _, p in seen]
        assert offsets[0] == -2.9 and offsets[-1] == 0.0 and sorted(offsets) == offsets
        headings = [p.turned_rad for _, p in seen if 0 < abs(p.offset_m) < 2.8 and p.speed_mps > 1]
        assert headings and min(headings) > 0
    assert left[0] == pytest.approx(5, abs=0.2) and left[1] == pytest.approx(3, abs=0.2)


def crossing(severity: float, **more) -> list[tuple[EgoNow, Placed]]:
    model = models.Crossing(kind='crossing', at_m=80, **more)
    return cruise(CrossingActor(model, 3, severity, 0))


@pytest.mark.parametrize(('side', 'sign'), [('right', 1), ('left', -1)])
def test_somebody_crosses_the_whole_road_from_its_side(side: str, sign: int) -> None:
    seen = crossing(0.5, side=side, speed_mps=1.4)
    assert sign * seen[0][1].offset_m < -3.9 and sign * seen[-1][1].offset_m > 3.9
    walking = [(e, p) for e, p in seen if p.speed_mps > 0]
    assert walking[0][0].front_arc_m == pytest.approx(80 - 2.9 * 8, abs=0.9)
    assert all(p.across_mps == pytest.approx(sign * 1.4) for _, p in walking)
    offsets = np.array([p.offset_m for _, p in walking])
    assert np.diff(offsets) == pytest.approx(sign * 0.14, abs=1e-6)
    assert {p.arc_m for _, p in seen} == {80.0}


def test_who_stays_never_sets_off() -> None:
    seen = crossing(0.5, stays=True)
    assert {(p.arc_m, p.offset_m, p.speed_mps) for _, p in seen} == {(80.0, -4.0, 0.0)}
    assert seen[-1][0].front_arc_m > 80


def test_the_harder_the_less_time_the_ego_has() -> None:
    times = []
    for severity in (0.0, 0.5, 1.0):
        seen = crossing(severity, ahead_s=(5.0, 2.5))
        ego, _ = next((e, p) for e, p in seen if p.speed_mps > 0)
        times.append((80 - ego.front_arc_m) / 8)
    assert times == pytest.approx([5.0, 3.75, 2.5], abs=0.11)


def test_somebody_halts_in_the_lane_and_turns_back() -> None:
    seen = crossing(0.0, halts_s=2.0, turns_back=True, ahead_s=(6, 6))
    offsets = [p.offset_m for _, p in seen]
    assert max(offsets) <= 0.1 and offsets[0] == offsets[-1] == -4.0
    standing = [p for _, p in seen if p.speed_mps == 0 and abs(p.offset_m) < 0.2]
    assert 18 <= len(standing) <= 22
    back = [p for _, p in seen if p.speed_mps > 0][-1]
    assert back.across_mps < 0


def test_who_walks_aslant_moves_along_the_road_as_its_heading_says() -> None:
    seen = [p for _, p in crossing(0.0, angle_rad=0.4, speed_mps=1.5) if p.speed_mps > 0]
    moved = (seen[5].arc_m - seen[0].arc_m) / 0.5, (seen[5].offset_m - seen[0].offset_m) / 0.5
    assert moved == pytest.approx((seen[0].along_mps, seen[0].across_mps), abs=1e-6)
    assert math.hypot(*moved) == pytest.approx(1.5) and moved[0] > 0.5


def test_a_parked_vehicle_hides_who_waits_behind_it() -> None:
    model = models.Crossing(kind='crossing', at_m=80, from_m=3.2, occluder='van')
    person, van = CrossingActor(model, 3, 0.5, 0).placed(0.0)
    eye, corner = (60.0, 0.0), (van.arc_m + van.half_m[0], van.offset_m + van.half_m[1])
    assert corner[0] < person.arc_m, 'the van stands before'
    sight = (person.offset_m - eye[1]) / (person.arc_m - eye[0])
    assert eye[1] + sight * (corner[0] - eye[0]) < corner[1], 'the line of sight meets it'
    assert abs(van.offset_m) - van.half_m[1] > HALF_WIDTH_M + 0.3, 'the ego can pass it'


def test_a_stopped_car_behind_a_bend_stands_past_its_sharpest_place() -> None:
    apex, curvature = bend(ROAD, 60.0)
    assert abs(curvature) == pytest.approx(np.abs(ROAD.at(np.arange(60.0, 140.0))[2]).max())
    hidden = []
    for severity in (0.0, 1.0):
        model = models.Stopped(kind='stopped', at_m=60, bend=True, occluder_m=(28, 10), count=2)
        actor = StoppedActor(model, ROAD, 3, severity, 0)
        car, second, van = actor.placed(0.0)
        assert actor.rear_arc_m == apex + 12 and second.arc_m == car.arc_m + 6.5
        hidden.append(car.arc_m - van.arc_m)
        assert car.final and van.final and van.kind == 'van'
    assert hidden[0] - hidden[1] == pytest.approx(18.0)


def test_a_tyre_rolls_from_the_left_when_the_ego_is_near() -> None:
    model = models.Debris(
        kind='debris', what='debris_tyre', at_m=80, offset_m=8.0, rolls_mps=2.0, ahead_s=(4, 3)
    )
    seen = cruise(DebrisActor(model, 3, 0.0, 0))
    assert seen[0][1].offset_m == 8.0 and seen[-1][1].offset_m < -4
    ego, tyre = next((e, p) for e, p in seen if p.speed_mps > 0)
    assert (80 - ego.front_arc_m) / 8 == pytest.approx(4.0, abs=0.11)
    assert tyre.across_mps == pytest.approx(-2.0) and not tyre.final


def test_lost_load_slides_from_the_truck_and_comes_to_rest_the_sooner_the_harder() -> None:
    lengths = []
    for severity in (0.0, 1.0):
        model = models.LostLoad(kind='lost_load', gap_m=18, trigger_m=40, slides_mps2=(3, 6))
        actor = LostLoadActor(model, STRAIGHT, 3, severity, 13.6)
        cruise(actor, 6.0, 15.0)
        truck, fallen = actor.placed(actor.fell_s)
        _, rest = actor.placed(14.9)
        assert fallen.arc_m < truck.arc_m - truck.half_m[0] and fallen.speed_mps > 5
        assert rest.final and rest.speed_mps == 0
        lengths.append(rest.arc_m - fallen.arc_m)
    assert lengths[0] == pytest.approx(2 * lengths[1], rel=0.05)


def test_an_oncoming_vehicle_comes_nearer_to_the_middle_the_harder() -> None:
    offsets = []
    for severity in (0.0, 1.0):
        model = models.OncomingActor(kind='oncoming', trigger_m=20, offset_m=(3.5, 2.0))
        seen = cruise(OncomingVehicle(model, 3, severity, 0))
        ego, car = seen[0]
        assert car.arc_m == pytest.approx(ego.front_arc_m + 80) and car.along_mps < -7
        assert seen[-1][1].arc_m < seen[-1][0].front_arc_m
        offsets.append(car.offset_m)
    assert offsets == [3.5, 2.0]


@pytest.mark.parametrize('shift_m', [1.2, -0.5, 3.3])
def test_cones_leave_the_width_that_the_knob_says_and_the_taper_leaves_the_lane(
    shift_m: float,
) -> None:
    rooms = []
    for severity in (0.0, 1.0):
        model = Closure(from_m=70, to_m=110, shift_m=shift_m, width_m=(3.4, 2.8))
        placed = RoadWorksActor(model, severity, 0).placed(0.0)
        row = [p for p in placed if p.arc_m >= 70]
        sides = sorted({round(p.offset_m, 3) for p in row})
        assert sides == pytest.approx(
            [shift_m - 1.7 + 0.3 * severity, shift_m + 1.7 - 0.3 * severity]
        )
        rooms.append(sides[1] - sides[0])
        assert {p.kind for p in placed} == {'cone'} and len({p.id for p in placed}) == len(placed)
        taper = [p for p in placed if p.arc_m < 70]
        assert min(p.arc_m for p in taper) > 49 and len(taper) == 5
    assert rooms == pytest.approx([3.4, 2.8])


def test_a_closed_lane_has_a_barrier_and_a_closed_road_is_closed_all_over() -> None:
    lane = Closure(from_m=70, to_m=90, kind='lane_closure', shift_m=3.3)
    barriers = [p for p in RoadWorksActor(lane, 0.5, 0).placed(0.0) if p.kind == 'barrier']
    assert [p.offset_m for p in barriers] == [0.0]
    road = Closure(from_m=70, to_m=90, kind='lane_closure')
    across = sorted(p.offset_m for p in RoadWorksActor(road, 0.5, 0).placed(0.0))
    gaps = np.diff(across) - 2.0
    assert across[0] < -0.5 and across[-1] > 3.0 and (gaps < 2 * HALF_WIDTH_M).all()


@pytest.mark.parametrize('name', ['two_cut_ins', 'works_and_worker', 'truck_loses_a_box'])
def test_the_same_seed_gives_the_same_actors_and_another_seed_others(name: str) -> None:
    def history(seed: int) -> list[Placed]:
        scenario = vary(load_scenario(name), seed)
        actors = build(scenario, ROAD, seed, 13.6)
        return [p for actor in actors for _, p in cruise(actor)]

    assert history(4) == history(4) != history(5)


def test_every_seed_varies_a_template_and_keeps_together_what_belongs_together() -> None:
    scenario = load_scenario('behind_waiting_truck')
    seen = [vary(scenario, seed).actors for seed in range(20)]
    places = [truck.at_m for truck, _ in seen]
    assert 3 < np.std(places) < 5 and max(places) - min(places) <= 12
    assert {round(walker.at_m - truck.at_m, 6) for truck, walker in seen} == {10.5}
    plain = load_scenario('winding_road')
    assert vary(plain, 3) is plain


def test_ids_of_all_agents_of_a_template_differ() -> None:
    for scenario in map(load_scenario, scenario_names()):
        ids = []
        for actor in build(scenario, ROAD, 0, 13.6):
            cruise(actor, until_s=8.0)
            ids += [p.id for p in actor.placed(7.9)]
        assert len(set(ids)) == len(ids), scenario.name
