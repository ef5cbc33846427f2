"""The graphs as data, and that both readings of them start the same processes."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from typer.testing import CliRunner

from alpamayo_ros import graph_spec
from alpamayo_ros.bringup import GRAPHS
from alpamayo_ros.cli import main, up
from alpamayo_ros.graph_options import Options, choices, parse_options
from alpamayo_ros.graph_spec import parameter_text, ros_arguments

ROOT = Path(__file__).resolve().parents[2]
DRIVER = [
    'camera_sync',
    'egomotion',
    'navigation',
    'planner',
    'trajectory',
    'reasoning',
    'monitor',
]


@pytest.mark.parametrize('name', GRAPHS)
def test_every_graph_has_the_driver_and_its_source(name):
    graph = GRAPHS[name](Options())
    source = {'vehicle': [], 'simulator': ['simulator'], 'replay': ['replay']}[name]
    assert [node.name for node in graph.nodes] == DRIVER + source
    assert [node.name for node in graph.nodes if node.ends_graph] == source
    assert all(Path(file).is_file() for file in graph.parameter_files)


@pytest.mark.parametrize('name', GRAPHS)
def test_every_executable_is_a_module_of_nodes(name):
    for node in GRAPHS[name](Options()).nodes:
        assert (ROOT / 'alpamayo_ros' / 'nodes' / f'{node.executable}.py').is_file()


def test_every_parameter_arrives_under_the_full_name_of_its_node():
    graph = GRAPHS['simulator'](Options(scenario="it's: #odd", seed=7, lockstep=True))
    tree = yaml.safe_load(parameter_text(graph.nodes[-1]))
    values = tree['/alpamayo/simulator']['ros__parameters']
    assert values['scenario'] == "it's: #odd"
    assert values['seed'] == 7 and values['lockstep'] is True
    assert isinstance(values['duration_s'], float)
    words = ros_arguments(graph.nodes[-1], graph, 'own.yaml')
    assert words[-1] == 'own.yaml' and words[-3] == graph.parameter_files[-1]


def test_only_the_trajectory_node_may_see_the_truth_and_only_when_asked():
    def readers(options):
        graph = GRAPHS['simulator'](options)
        return [n.name for n in graph.nodes if ('objects', 'ground_truth/objects') in n.remappings]

    assert readers(Options()) == []
    assert readers(Options(objects='ground_truth')) == ['trajectory']


def test_a_replay_takes_the_rig_beside_its_bag_unless_another_is_named(tmp_path):
    def rig(**options):
        nodes = GRAPHS['replay'](Options(bag=str(tmp_path / 'drive.mcap'), **options)).nodes
        (found,) = {dict(node.parameters)['rig'] for node in nodes}
        return found

    assert rig() == 'sim'
    beside = tmp_path / 'drive.rig.yaml'
    beside.touch()
    assert rig() == str(beside)
    assert rig(rig='mine.yaml') == 'mine.yaml'


def test_a_source_knows_whether_a_recorder_listens():
    for name in ('simulator', 'replay'):
        for folder in ('', 'out'):
            graph = GRAPHS[name](Options(record=folder))
            assert dict(graph.nodes[-1].parameters)['recorded'] == bool(folder)
            assert ('recorder' in [node.name for node in graph.nodes]) == bool(folder)


def test_topic_map_is_text_to_text(tmp_path):
    good = tmp_path / 'good.yaml'
    good.write_text('odometry: /localization/odom\n')
    assert graph_spec.topic_map(str(good)) == (('odometry', '/localization/odom'),)
    bad = tmp_path / 'bad.yaml'
    bad.write_text('odometry: [1]\n')
    with pytest.raises(ValueError, match='name: topic'):
        graph_spec.topic_map(str(bad))


def test_launch_arguments_become_options_or_are_refused_by_name():
    options = parse_options({'lockstep': 'True', 'seed': '4', 'rate': '0.5'})
    assert (options.lockstep, options.seed, options.rate) == (True, 4, 0.5)
    with pytest.raises(ValueError, match='seed'):
        parse_options({'seed': 'four'})
    with pytest.raises(ValueError, match='lockstep'):
        parse_options({'lockstep': 'yes'})


def recorder_of(name, made):
    """A stand-in for an action or substitution of launch: keeps what it was made with."""

    class Made:
        def __init__(self, *words, **values):
            self.kind, self.words, self.values = name, words, values
            made.append(self)

        def perform(self, context):
            return context[self.words[0]]

    return Made


@pytest.fixture
def stand_in(monkeypatch):
    """Modules named as those of launch and launch_ros; returns what was made of them."""
    made = []
    for module, names in {
        'launch': ['LaunchDescription'],
        'launch.actions': [
            'DeclareLaunchArgument',
            'OpaqueFunction',
            'SetEnvironmentVariable',
            'Shutdown',
        ],
        'launch.substitutions': ['LaunchConfiguration'],
        'launch_ros': [],
        'launch_ros.actions': ['Node'],
    }.items():
        classes = {name: recorder_of(name, made) for name in names}
        monkeypatch.setitem(sys.modules, module, SimpleNamespace(**classes))
    return made


def launch_file(name):
    """The launch file as a module."""
    path = ROOT / 'launch' / f'{name}.launch.py'
    spec = importlib.util.spec_from_file_location(f'{name}_launch', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize('name', GRAPHS)
def test_a_launch_file_declares_the_options_and_starts_the_graph(stand_in, name, tmp_path):
    launch_file(name).generate_launch_description()
    arguments = {
        m.words[0]: m.values['default_value'] for m in stand_in if m.kind.startswith('Declare')
    }
    assert arguments == {choice.name: str(choice.default) for choice in choices()}
    (opaque,) = (m for m in stand_in if m.kind == 'OpaqueFunction')
    bag = tmp_path / 'a.mcap'
    bag.touch()
    played = str(bag) if name == 'replay' else ''
    opaque.values['function']({**arguments, 'seed': '7', 'bag': played})
    nodes = [m.values for m in stand_in if m.kind == 'Node']
    graph = GRAPHS[name](Options(seed=7, bag=played))
    assert [n['executable'] for n in nodes] == [n.executable for n in graph.nodes]
    assert [n['parameters'][-1] for n in nodes] == [dict(n.parameters) for n in graph.nodes]
    for status, ends in ((0, [n.ends_graph for n in graph.nodes]), (2, [True] * len(nodes))):
        ended = [n['on_exit'](SimpleNamespace(returncode=status), None) for n in nodes]
        assert [bool(found) for found in ended] == ends  # 2: refused to configure, no restart
    assert {n['package'] for n in nodes} == {graph_spec.PACKAGE}
    environment = [m.words for m in stand_in if m.kind == 'SetEnvironmentVariable']
    assert environment == list(graph.environment)


@pytest.mark.parametrize(
    'name', sorted(p.name[:-10] for p in (ROOT / 'launch').glob('*.launch.py'))
)
@pytest.mark.parametrize('said', ['', 'shared memory of 2 killed nodes was freed (4 MB)'])
def test_shared_memory_of_dead_nodes_is_freed_before_a_launch_file_starts_any(
    stand_in, name, said, monkeypatch, capsys, tmp_path
):
    from alpamayo_ros.nodes.common import launching

    already = []  # what had been started when it was freed
    monkeypatch.setattr(launching, 'freed', lambda now_s: already.extend(started()) or said)
    started = lambda: [m for m in stand_in if m.kind == 'Node']  # noqa: E731
    monkeypatch.setattr('alpamayo_ros.security.enforcement.secured', lambda graph, env: graph)
    monkeypatch.setattr(launching, 'checked', lambda name, texts: Options())
    launch_file(name).generate_launch_description()
    (opaque,) = (m for m in stand_in if m.kind == 'OpaqueFunction')
    opaque.values['function']({choice.name: '' for choice in choices()})
    assert already == [] and started()
    assert capsys.readouterr().out == (f'{said}\n' if said else '')


def test_every_option_of_the_command_line_reaches_the_graph(monkeypatch):
    seen = {}

    def keep(options):
        seen['options'] = options
        raise KeyboardInterrupt

    monkeypatch.setitem(GRAPHS, 'simulator', keep)
    monkeypatch.setattr(up, 'check_graph', lambda name, options: None)
    words, expected = ['simulator'], {}
    for choice in choices():
        given = {bool: True, int: 3, float: 2.5, str: 'x'}[type(choice.default)]
        given = {'runtime': 'scripted', 'objects': 'ground_truth'}.get(choice.name, given)
        flag = choice.flag.split('/')[0]
        words += [flag] if given is True else [flag, str(given)]
        expected[choice.name] = given
    CliRunner().invoke(main.app, ['up', *words])
    assert seen['options'] == Options(**expected)


@pytest.mark.parametrize('name', GRAPHS)
def test_launch_file_is_the_same_graph(name):
    launch = pytest.importorskip('launch', reason='launch is not on PyPI')
    pytest.importorskip('launch_ros', reason='launch_ros is not on PyPI')
    description = launch_file(name).generate_launch_description()
    context = launch.LaunchContext(argv=[])
    for action in description.entities[:-1]:
        action.execute(context)
    actions = description.entities[-1].execute(context)
    graph = GRAPHS[name](Options())
    nodes = [action for action in actions if hasattr(action, 'node_executable')]
    assert [n.node_executable for n in nodes] == [n.executable for n in graph.nodes]
    assert {n.node_package for n in nodes} == {graph_spec.PACKAGE}
    assert len(actions) - len(nodes) == len(graph.environment)


def test_launch_files_are_short():
    for path in (ROOT / 'launch').glob('*.launch.py'):
        assert len(path.read_text().splitlines()) <= 20
