"""Lanes and routes of a Lanelet2 map: turns by shape, words by distance, what is refused."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest

from alpamayo_ros.bridges.autoware.lanelet_route import LaneletRoute
from alpamayo_ros.bridges.autoware.lanelets import read_lanes
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.sensing.navigation import Maneuver, canonical

Place = tuple[float, float]


def bent(side: float, offset_m: float) -> list[Place]:
    """A quarter circle of 15 m from (100, 0), ``side`` 1 to the left; ``offset_m`` to the left."""
    angles = np.linspace(0.0, math.pi / 2, 12)
    radius = 15.0 - side * offset_m
    return [(100 + radius * math.sin(a), side * (15 - radius * math.cos(a))) for a in angles]


def osm(lanes: list[tuple[int, str, list[Place], list[Place]]], flip: bool = False) -> str:
    """A map of lanelets: id, turn_direction, left and right bound."""
    out, node = ['<osm>'], 0
    ways = []
    for number, turn, left, right in lanes:
        for side, line in (('left', left), ('right', right)):
            refs = []
            for x, y in line[::-1] if flip and side == 'right' else line:
                node += 1
                tags = f'<tag k="local_x" v="{x}"/><tag k="local_y" v="{y}"/>'
                out.append(f'<node id="{node}">{tags}</node>')
                refs.append(f'<nd ref="{node}"/>')
            ways.append(f'<way id="{number}{side}">{"".join(refs)}</way>')
        members = ''.join(f'<member role="{s}" ref="{number}{s}"/>' for s in ('left', 'right'))
        tags = '<tag k="type" v="lanelet"/><tag k="subtype" v="road"/>'
        tags += f'<tag k="turn_direction" v="{turn}"/>' if turn else ''
        ways.append(f'<relation id="{number}">{members}{tags}</relation>')
    return ''.join([*out, *ways, '</osm>'])


def crossing(turn: str = 'left', side: float = 1.0, flip: bool = False) -> str:
    """100 m straight on, a quarter circle, 40 m straight on after it."""
    end = (115.0, side * 15.0)
    after = [(end[0], end[1] + side * far) for far in (0.0, 40.0)]
    return osm(
        [
            (1, '', [(0, 1.5), (100, 1.5)], [(0, -1.5), (100, -1.5)]),
            (2, turn, bent(side, 1.5), bent(side, -1.5)),
            (
                3,
                '',
                [(x - side * 1.5, y) for x, y in after],
                [(x + side * 1.5, y) for x, y in after],
            ),
        ],
        flip,
    )


def opened(text: str, folder: Path, ids: tuple[int, ...] = (1, 2, 3)) -> LaneletRoute:
    path = folder / 'lanelet2_map.osm'
    path.write_text(text)
    lanes = read_lanes(path)
    goal = lanes[ids[-1]].centre[-1]
    return LaneletRoute(lanes, ids, (float(goal[0]), float(goal[1])))


@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize(('turn', 'side'), [('left', 1.0), ('right', -1.0)])
def test_the_words_count_down_to_the_turn_and_then_to_the_goal(
    turn: str, side: float, flip: bool, tmp_path: Path
) -> None:
    route = opened(crossing(turn, side, flip), tmp_path)
    said = []
    for x, y in ((20, 0), (60, 0), (99, 0), (110, side * 6), (115, side * 20), (115, side * 50)):
        found = route.instruction(x, y)
        assert not isinstance(found, Fault)
        said.append(canonical(found)[0])
    turns = [
        f'turn {turn} in 80 m',
        f'turn {turn} in 40 m',
        f'turn {turn} now',
        f'turn {turn} now',
    ]
    assert said == [*turns, 'follow the road', 'stop in 5 m']
    assert not route.contradicting


def test_a_tag_that_contradicts_the_shape_is_told_and_not_obeyed(tmp_path: Path) -> None:
    route = opened(crossing('left', -1.0), tmp_path)
    found = route.instruction(60.0, 0.0)
    assert not isinstance(found, Fault) and found.maneuver == Maneuver.RIGHT
    assert route.contradicting == (2,)


def test_a_route_that_comes_back_is_followed_in_order(tmp_path: Path) -> None:
    route = opened(crossing(), tmp_path, (1, 2, 3, 1, 2, 3))
    first = route.instruction(20.0, 0.0)
    for x, y in ((90, 0), (110, 6), (115, 50)):
        route.instruction(x, y)
    assert not isinstance(first, Fault) and first.maneuver == Maneuver.LEFT
    last = route.instruction(115.0, 54.0)  # the lanes go on at the beginning, the goal is far
    assert not isinstance(last, Fault) and last.maneuver != Maneuver.STOP


def test_a_car_beside_the_route_gets_no_instruction(tmp_path: Path) -> None:
    found = opened(crossing(), tmp_path).instruction(50.0, 40.0)
    assert isinstance(found, Fault) and found.code is Code.NAV_FORMAT and '15 m' in found.message


def test_a_route_of_another_map_is_refused_by_id(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='77'):
        opened(crossing(), tmp_path, (1, 77, 3))


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('<osm></osm>', 'no point with local_x'),
        (
            '<osm><node id="1"><tag k="local_x" v="1"/><tag k="local_y" v="1"/></node></osm>',
            'road',
        ),
        (
            '<osm><node id="1"><tag k="local_x" v="x"/><tag k="local_y" v="1"/></node></osm>',
            'sound',
        ),
        (
            '<osm><node id="1"><tag k="local_x" v="inf"/><tag k="local_y" v="1"/></node></osm>',
            'lies',
        ),
        ('<!DOCTYPE osm [<!ENTITY a "b">]><osm/>', 'entities are refused'),
        ('<osm', 'no XML'),
    ],
)
def test_what_is_no_map_is_refused_with_the_file(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / 'm.osm'
    path.write_text(text)
    with pytest.raises(ValueError, match=said) as error:
        read_lanes(path)
    assert 'm.osm' in str(error.value)


def beside(side: float, parallel: bool) -> str:
    """100 m in one lane, then 60 m in the lane beside it (``parallel``: from where it is)."""
    start, middle = (40.0 if parallel else 100.0), side * 3.5
    return osm(
        [
            (1, '', [(0, 1.75), (100, 1.75)], [(0, -1.75), (100, -1.75)]),
            (
                2,
                '',
                [(start, middle + 1.75), (start + 60, middle + 1.75)],
                [(start, middle - 1.75), (start + 60, middle - 1.75)],
            ),
        ]
    )


@pytest.mark.parametrize('parallel', [False, True])
@pytest.mark.parametrize(('turn', 'side'), [('left', 1.0), ('right', -1.0)])
def test_a_lane_beside_is_announced_until_the_car_is_on_it(
    turn: str, side: float, parallel: bool, tmp_path: Path
) -> None:
    route = opened(beside(side, parallel), tmp_path, (1, 2))
    said = []
    for x, y in ((20, 0), (60, 0), (60, side * 1.0), (60, side * 2.5), (80, side * 3.5)):
        found = route.instruction(x, y)
        assert not isinstance(found, Fault)
        said.append(canonical(found)[0])
    assert said[:3] == [f'merge {turn} in 80 m', f'merge {turn} in 40 m', f'merge {turn} in 40 m']
    assert not any('merge' in words for words in said[3:])


def test_turns_of_the_sample_maps_of_autoware() -> None:
    """18 of 18 turns of one map; of the other, eight of nine tags say the other way.

    Its ninth, lanelet 2243, is tagged as a turn and goes straight on, by one degree to the left.
    """
    root = os.environ.get('AUTOWARE_CORE')
    if not root:
        pytest.skip('AUTOWARE_CORE names no checkout of autowarefoundation/autoware_core')
    maps = Path(root) / 'common' / 'autoware_lanelet2_utils' / 'sample_map' / 'vm_03'
    figures = {}
    for name in ('left_hand', 'right_hand'):
        lanes = read_lanes(maps / name / 'lanelet2_map.osm')
        turning = {k: lane for k, lane in lanes.items() if lane.tagged in ('left', 'right')}
        words = 0
        for number, lane in turning.items():
            before = [
                k for k, o in lanes.items() if np.hypot(*(o.centre[-1] - lane.centre[0])) < 0.5
            ]
            ids = (*before[:1], number)
            end = lane.centre[-1]
            route = LaneletRoute(lanes, ids, (float(end[0]), float(end[1])))
            start = lanes[ids[0]].centre[0]
            found = route.instruction(float(start[0]), float(start[1]))
            assert not isinstance(found, Fault)
            side = 'left' if lane.turned_rad > 0 else 'right'
            words += canonical(found)[0].startswith(f'turn {side}')
        against = sum(lane.contradicts for lane in turning.values())
        figures[name] = (len(turning), words, against)
    assert figures['left_hand'] == (18, 18, 0)
    assert figures['right_hand'] == (9, 8, 8)
