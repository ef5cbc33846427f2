"""A parameter file beside the options: what neither of them says in vain."""

from dataclasses import replace
from pathlib import Path

import pytest

from alpamayo_ros.bringup import GRAPHS
from alpamayo_ros.graph_options import Options
from alpamayo_ros.other_stack import check_other_stack
from alpamayo_ros.parameters.own_file import check_own, unread
from alpamayo_ros.preflight import check_graph
from alpamayo_ros.profile import share_dir
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.statuses import ConfigError

NODES = '/**/{}:\n  ros__parameters: {{{}}}\n'


def own(folder: Path, node: str, text: str) -> Options:
    file = folder / 'own.yaml'
    file.write_text(NODES.format(node, text))
    return Options(parameters=str(file))


def told(options: Options, node: str) -> dict[str, object]:
    """What the graph tells a node after every parameter file."""
    nodes = GRAPHS['simulator'](options).nodes
    return dict(next(n.parameters for n in nodes if n.name == node))


def test_what_was_not_given_takes_nothing_back_of_the_file():
    assert not {'model', 'trusted_keys'} & told(Options(), 'planner').keys()
    assert not {'speed_cap_mps', 'acceleration_cap_mps2'} & told(Options(), 'trajectory').keys()
    assert not {'objects_expected', 'reliable_inputs'} & told(Options(), 'trajectory').keys()
    assert told(Options(objects='ground_truth'), 'trajectory')['objects_expected'] is True
    given = Options(model='a', trusted_keys='b', speed_cap_mps=3.0)
    assert told(given, 'planner')['model'] == 'a' and told(given, 'planner')['trusted_keys'] == 'b'
    assert told(given, 'trajectory')['speed_cap_mps'] == 3.0


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('model: nowhere', 'model: .*nowhere'),
        ('trusted_keys: nowhere.pub', 'model: .*nowhere.pub'),
        ('minimum_release: 99', 'MODEL_ROLLBACK.*minimum=99'),
    ],
)
def test_the_model_that_a_file_names_is_looked_at_before_the_start(text, said, tmp_path):
    with pytest.raises(ConfigError, match=said):
        check_graph('simulator', own(tmp_path, 'planner', text))


def test_an_option_that_was_given_wins_over_the_file(tmp_path):
    options = own(tmp_path, 'planner', 'model: a, trusted_keys: b, seed: 4')
    found = check_own('simulator', replace(options, model='c', trusted_keys='d', seed=5))
    assert (found.folder, found.trusted_keys) == ('c', 'd')


@pytest.mark.parametrize(
    ('graph', 'node', 'text'),
    [
        ('vehicle', 'planner', 'runtime: scripted'),
        ('simulator', 'planner', 'seed: 4'),
        ('simulator', 'simulator', 'scenario: stopped_car'),
        ('vehicle', '', 'profile: alpamayo-0.5b'),
        ('replay', '', 'lockstep: true'),
    ],
)
def test_a_value_that_an_option_decides_is_refused_with_its_line(graph, node, text, tmp_path):
    options, key = own(tmp_path, node, text), text.partition(':')[0]
    with pytest.raises(ConfigError) as refused:
        check_own(graph, options)
    assert f'own.yaml:2: {key} has no effect in a parameter file' in str(refused.value)


@pytest.mark.parametrize('graph', GRAPHS)
@pytest.mark.parametrize('shipped', ['nodes.param.yaml', 'simulation.param.yaml'])
def test_a_copy_of_what_ships_is_accepted(graph, shipped):
    check_own(graph, Options(parameters=str(share_dir() / 'config' / shipped)))


def test_values_for_a_node_that_is_not_started_are_said(tmp_path: Path):
    """They were without effect and silent; the same file is right where the option is given."""
    options = own(tmp_path, 'autoware', 'map_osm: mine.osm')
    assert unread('vehicle', options).endswith('start it: autoware (--autoware starts it)')
    assert unread('vehicle', replace(options, autoware=True)) == ''
    assert 'start it: simulator' in unread('vehicle', own(tmp_path, 'simulator', 'depth: 3'))
    assert unread('vehicle', own(tmp_path, 'planner', 'seed: 4')) == ''
    assert unread('vehicle', own(tmp_path, 'autoware', "map_osm: ''")) == ''
    assert unread('replay', Options()) == ''


@pytest.mark.parametrize('shipped', ['nodes.param.yaml', 'simulation.param.yaml'])
def test_nothing_is_said_of_values_that_ship(shipped):
    assert unread('vehicle', Options(parameters=str(share_dir() / 'config' / shipped))) == ''


def test_a_map_that_is_not_there_is_refused_before_autoware_s_messages_are(tmp_path: Path):
    """Every node was started before the one of them refused."""
    rig = tmp_path / 'mine.yaml'
    sim = (share_dir() / 'config' / 'rigs' / 'sim.yaml').read_text()
    rig.write_text(sim.replace('frame_id: odom,', 'frame_id: map,'))
    nowhere = own(tmp_path, 'autoware', f'map_osm: {tmp_path}/no.osm')
    asked = replace(nowhere, autoware=True, rig=str(rig), runtime='scripted')
    with pytest.raises(ConfigError, match=r'map_osm is .*no\.osm, which is no file; expected the'):
        check_graph('vehicle', asked)
    with pytest.raises(ConfigError, match="frame is 'map' and the odometry of rig 'sim' is in"):
        check_graph('vehicle', replace(asked, rig='sim'))


def test_a_map_and_a_frame_that_fit_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / 'map.osm').write_text('<osm/>')
    asked = own(tmp_path, 'autoware', f'map_osm: {tmp_path}/map.osm, frame: odom')
    monkeypatch.setattr('importlib.util.find_spec', lambda name: True)
    check_other_stack('vehicle', replace(asked, autoware=True), load_rig('sim'))
