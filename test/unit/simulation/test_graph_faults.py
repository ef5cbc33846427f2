"""Where faults stand between sensors and driver, and which may be asked for."""

import pytest

from alpamayo_ros.bringup import GRAPHS
from alpamayo_ros.graph_options import Options
from alpamayo_ros.graph_spec import faulty
from alpamayo_ros.profile import share_dir
from alpamayo_ros.security.access import of_graph
from alpamayo_ros.simulation.graph_faults import check_inject
from alpamayo_ros.statuses import ConfigError

ROW = 'F03@5s:2s'


def names(graph):
    return [node.name for node in graph.nodes]


@pytest.mark.parametrize('kind', ['vehicle', 'replay'])
def test_the_driving_nodes_read_the_proxy_and_the_proxy_reads_the_sensors(kind, tmp_path):
    topics = tmp_path / 'topics.yaml'
    topics.write_text('odometry: /localization/odom\n')
    chosen = {'inject': ROW, 'rig': 'sim', 'bag': 'a.mcap' if kind == 'replay' else ''}
    access = of_graph(GRAPHS[kind](Options(**chosen, topics=str(topics))))
    front = next(t for t in access['fault_proxy'].hears if 'front/' in t)
    for node in ('camera_sync', 'reasoning'):
        assert faulty(front) in access[node].hears and front not in access[node].hears
    odometry = faulty('odometry')
    for node in ('camera_sync', 'egomotion', 'trajectory', 'navigation'):
        assert odometry in access[node].hears
        assert '/localization/odom' not in access[node].hears
    assert '/localization/odom' in access['fault_proxy'].hears
    assert {odometry, faulty(front)} <= access['fault_proxy'].says


def test_without_faults_there_is_no_proxy_and_the_simulator_needs_none():
    for kind, inject in (('vehicle', ''), ('replay', ''), ('simulator', ROW)):
        graph = GRAPHS[kind](Options(inject=inject))
        assert 'fault_proxy' not in names(graph)
        assert not any('faulty' in new for node in graph.nodes for _, new in node.remappings)


def test_recorders_go_on_hearing_the_sensors(tmp_path):
    options = Options(inject=ROW, bag_out=str(tmp_path / 'a.mcap'), record=str(tmp_path))
    graph = GRAPHS['vehicle'](options)
    access = of_graph(graph)
    for node in ('bag_recorder', 'recorder'):
        assert not any('faulty' in topic for topic in access[node].hears)
    recorder = next(node for node in graph.nodes if node.name == 'recorder')
    assert dict(recorder.parameters)['about'] == f'with faults put in: {ROW}'


def test_pictures_that_are_not_compressed_cannot_be_painted(tmp_path):
    rig = tmp_path / 'raw.yaml'
    text = (share_dir() / 'config' / 'rigs' / 'sim.yaml').read_text()
    rig.write_text(text.replace('/compressed', ''))
    with pytest.raises(ConfigError, match='expected a topic that ends with /compressed'):
        check_inject('replay', Options(inject='paint(source=front,kind=black)', rig=str(rig)))


@pytest.mark.parametrize(
    ('kind', 'options', 'words'),
    [
        ('vehicle', Options(inject='F16@5s:2s'), 'jump_clock has no topic'),
        ('vehicle', Options(inject='fail(code=MODEL_KILLED)'), 'fail has no topic'),
        ('vehicle', Options(inject='drop(source=fornt)'), 'did you mean front'),
        ('replay', Options(inject='spoil(field=acceleration_mps2)'), 'odometry messages have no'),
        ('vehicle', Options(inject='teleport(by_m=1)'), 'expected a camera, or --shadow'),
        ('vehicle', Options(inject='drop(source=*)'), 'expected a camera, or --shadow'),
        ('vehicle', Options(inject=ROW, incidents='x'), 'expected no --incidents'),
        ('replay', Options(inject='truncate(source=odometry,seed=1)'), 'expected a camera'),
        ('replay', Options(inject='paint(source=*,kind=black)'), 'expected a camera'),
        ('replay', Options(inject='teleport(by_m=5,source=front)'), 'expected source=odometry'),
        ('replay', Options(inject='duplicate(source=front,payload=abc)'), 'leave it out'),
        ('vehicle', Options(inject=ROW, lockstep=True), 'expected --free'),
        ('simulator', Options(inject='drop(source=fornt)'), 'did you mean front'),
    ],
)
def test_what_cannot_be_shown_is_refused(kind, options, words):
    with pytest.raises(ConfigError, match=words):
        check_inject(kind, options)


def test_what_can_be_shown_is_not():
    check_inject('vehicle', Options(inject=ROW))
    check_inject('vehicle', Options(inject='drop(source=*);teleport(by_m=5)', shadow=True))
    check_inject('simulator', Options(inject=ROW, lockstep=True))
    check_inject('vehicle', Options())
