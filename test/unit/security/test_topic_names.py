"""A line of a topic map that would rename nothing is refused before anything starts."""

from pathlib import Path

import pytest

from alpamayo_ros.bringup import GRAPHS
from alpamayo_ros.graph_options import Options
from alpamayo_ros.preflight import check_graph
from alpamayo_ros.profile import load_profile
from alpamayo_ros.security.access import of_graph
from alpamayo_ros.security.topic_names import check_topic_map, renameable
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.statuses import ConfigError


def written(tmp_path: Path, *names: str) -> str:
    path = tmp_path / 'topics.yaml'
    path.write_text(''.join(f'{name}: /somewhere/else_{k}\n' for k, name in enumerate(names)))
    return str(path)


def test_a_name_that_no_node_has_is_refused_with_the_nearest(tmp_path: Path) -> None:
    path = written(tmp_path, 'route', 'odomtry')
    with pytest.raises(ConfigError, match=r"'odomtry'; did you mean odometry\?.* rename nothing"):
        check_graph('vehicle', Options(topics=path, shadow=True))


@pytest.mark.parametrize('rig', ['sim', 'carla_native'])
def test_whatever_a_graph_says_or_hears_can_be_renamed(rig: str) -> None:
    """Names without a node's own (~) and those that ROS gives to everybody."""
    known = renameable(load_rig(rig), load_profile('nano'))
    graph = GRAPHS['vehicle'](Options(rig=rig, controller='twist', lockstep=True))
    own = ('/rosout', '/parameter_events', '/clock')
    for access in of_graph(graph).values():
        for full in (access.says | access.hears) - set(own):
            if '/planner/' not in full:
                assert full in known or full.removeprefix('/alpamayo/') in known, full


def test_maps_that_ship_are_taken(repository: Path) -> None:
    maps = sorted((repository / 'config' / 'carla').glob('*.topics.yaml'))
    assert len(maps) == 3
    for path in maps:
        check_topic_map(str(path), load_rig('carla_native'), load_profile('nano'))
