"""CommonRoad's obstacles as the field has them: shapes, sets of places, regions, signals.

Every test is named after the kind of mistake that it rules out.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from alpamayo_ros.datasets import log_commonroad
from alpamayo_ros.datasets.commonroad_shape import read_shape
from alpamayo_ros.datasets.log_build import build
from alpamayo_ros.datasets.log_format import Log, LogError

HEAD = '<commonRoad commonRoadVersion="2020a" timeStepSize="0.1">'


def obstacle(number: int, shape: str, rest: str = '', tag: str = 'staticObstacle') -> str:
    state = (
        '<initialState><position><point><x>60</x><y>0</y></point></position>'
        '<orientation><exact>0</exact></orientation><time><exact>0</exact></time>'
        '<velocity><exact>0</exact></velocity></initialState>'
    )
    return f'<{tag} id="{number}"><type>car</type>{shape}{state}{rest}</{tag}>'


def commonroad(body: str, folder: Path) -> Log:
    def state(tag: str, k: int) -> str:
        place = f'<position><point><x>{0.8 * k}</x><y>0</y></point></position>'
        rest = f'<orientation><exact>0</exact></orientation><time><exact>{k}</exact></time>'
        return f'<{tag}>{place}{rest}<velocity><exact>8</exact></velocity></{tag}>'

    box = '<shape><rectangle><length>4.4</length><width>1.8</width></rectangle></shape>'
    way = ''.join(state('state', k) for k in range(1, 31))
    ego = f'<dynamicObstacle id="42"><type>car</type>{box}{state("initialState", 0)}'
    ego += f'<trajectory>{way}</trajectory></dynamicObstacle>'
    path = folder / 'a.xml'
    path.write_text(f'{HEAD}{ego}{body}</commonRoad>')
    return build(log_commonroad.read(path))


def polygon(*points: tuple[float, float]) -> str:
    rows = ''.join(f'<point><x>{x}</x><y>{y}</y></point>' for x, y in points)
    return f'<shape><polygon>{rows}</polygon></shape>'


def test_a_polygon_becomes_the_box_around_it_and_is_counted(tmp_path: Path) -> None:
    zone = polygon((-6, -1), (6, -1), (6, 2), (-6, 2))
    log = commonroad(obstacle(50, zone), tmp_path)
    (found,) = log.agents
    assert (found.length_m, found.width_m, found.y_m[0]) == (12.0, 3.0, 0.5)
    assert any('obstacles, 1: a shape of another kind' in text for text in log.provenance.assumed)


def test_a_rectangle_lies_where_its_centre_is(tmp_path: Path) -> None:
    place = '<orientation>1.5708</orientation><center><x>10</x><y>0</y></center>'
    size = '<length>4.5</length><width>1.8</width>'
    log = commonroad(
        obstacle(51, f'<shape><rectangle>{size}{place}</rectangle></shape>'), tmp_path
    )
    (found,) = log.agents
    assert (found.x_m[0], found.heading_rad[0]) == (70.0, pytest.approx(1.5708))


def test_a_set_of_places_is_left_out_and_counted(tmp_path: Path) -> None:
    box = '<shape><rectangle><length>4</length><width>2</width></rectangle></shape>'
    moving = obstacle(52, box, '<occupancySet/>', 'dynamicObstacle')
    log = commonroad(moving, tmp_path)
    assert not log.agents
    assert any('obstacles, 1: left out, as sets' in text for text in log.provenance.assumed)


def test_two_parts_are_spanned_and_what_is_too_large_is_left_out(tmp_path: Path) -> None:
    two = '<circle><radius>1</radius></circle>'
    two += '<rectangle><length>2</length><width>8</width></rectangle>'
    shape = read_shape(ElementTree.fromstring(f'<o><shape>{two}</shape></o>'))
    assert shape is not None
    assert (shape.length_m, shape.width_m, shape.turn_rad) == (8.0, 2.0, pytest.approx(np.pi / 2))
    log = commonroad(obstacle(53, polygon((-40, -9), (40, 9))), tmp_path)
    assert any('too large' in text for text in log.provenance.assumed)


def test_a_place_that_is_not_exact_is_the_middle_and_is_counted(tmp_path: Path) -> None:
    def state(tag: str, k: int) -> str:
        centre = f'<center><x>{20 + k / 2}</x><y>3.5</y></center>'
        region = f'<rectangle><length>1</length><width>0.5</width>{centre}</rectangle>'
        sets = ''.join(
            f'<{name}><intervalStart>{low}</intervalStart><intervalEnd>{high}</intervalEnd></{name}>'
            for name, low, high in (('orientation', -0.02, 0.04), ('velocity', 4.5, 5.5))
        )
        time = f'<time><exact>{k}</exact></time>'
        return f'<{tag}><position>{region}</position>{sets}{time}</{tag}>'

    way = ''.join(state('state', k) for k in range(1, 31))
    box = '<shape><rectangle><length>4</length><width>2</width></rectangle></shape>'
    tag = 'dynamicObstacle'
    body = f'<{tag} id="55"><type>car</type>{box}{state("initialState", 0)}'
    log = commonroad(f'{body}<trajectory>{way}</trajectory></{tag}>', tmp_path)
    (found,) = log.agents
    assert (found.x_m[10], found.y_m[10]) == (pytest.approx(25.0), pytest.approx(3.5))
    assert (found.heading_rad[10], found.speed_mps[10]) == (pytest.approx(0.01), 5.0)
    assert 'obstacles, 1: in the middle of where they may be' in log.provenance.assumed


def test_traffic_lights_are_left_out_and_counted(tmp_path: Path) -> None:
    log = commonroad('<trafficLight id="7"/><trafficLight id="8"/>', tmp_path)
    assert not log.signals
    assert 'traffic lights, 2: left out' in log.provenance.assumed


def test_a_refusal_says_what_was_left_out(tmp_path: Path) -> None:
    box = '<shape><rectangle><length>4</length><width>2</width></rectangle></shape>'
    moving = obstacle(52, box, '<occupancySet/>', 'dynamicObstacle')
    (tmp_path / 'a.xml').write_text(f'{HEAD}{moving}</commonRoad>')
    with pytest.raises(LogError, match='no vehicle that moves.*obstacles, 1: left out, as sets'):
        log_commonroad.read(tmp_path / 'a.xml')


def test_a_number_in_a_shape_that_is_none_is_refused(tmp_path: Path) -> None:
    bad = '<shape><rectangle><length>inf</length><width>2</width></rectangle></shape>'
    with pytest.raises(LogError, match='no sound CommonRoad scenario: rectangle with length inf'):
        commonroad(obstacle(54, bad), tmp_path)


@pytest.mark.parametrize(
    ('old', 'new', 'said'),
    [
        ('timeStepSize="0.1"', '', "timeStepSize ''; expected seconds above 0"),
        ('timeStepSize="0.1"', 'timeStepSize="-0.1"', "timeStepSize '-0.1'"),
        (
            '<time><exact>5</exact>',
            '<time><exact>4</exact>',
            '42 has more than one state of step 4',
        ),
        ('<time><exact>5</exact>', '<time><exact>-4</exact>', '42 has a state of step -4'),
        ('id="43"', 'id="42"', 'more than one obstacle has the id 42'),
        ('id="43"', '', 'an obstacle without id'),
    ],
)
def test_what_says_two_things_at_once_is_refused(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    """A guessed step, or one of two states, would be a made-up track that is called real."""
    box = '<shape><rectangle><length>4.4</length><width>1.8</width></rectangle></shape>'
    commonroad(obstacle(43, box), tmp_path)
    path = tmp_path / 'a.xml'
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(LogError, match=said):
        log_commonroad.read(path)
