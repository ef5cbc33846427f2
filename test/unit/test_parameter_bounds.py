"""A parameter file is refused for what its nodes would refuse, before any of them starts."""

from pathlib import Path

import pytest

from alpamayo_ros.parameters import parameter_file
from alpamayo_ros.parameters.parameter_file import check_parameters, of_planner
from alpamayo_ros.preflight import check_model
from alpamayo_ros.profile import load_profile, share_dir
from alpamayo_ros.statuses import ConfigError

SHIPPED = ('nodes.param.yaml', 'simulation.param.yaml')


def written(folder: Path, node: str, text: str) -> str:
    file = folder / 'own.yaml'
    file.write_text(f'{node}:\n  ros__parameters:\n    {text}\n')
    return str(file)


@pytest.mark.parametrize(
    ('node', 'text', 'said'),
    [
        ('/**/camera_sync', 'poll_s: -1.5', 'poll_s: -1.5 s is outside [0.005, 0.1] s'),
        ('/*/camera_sync', 'poll_s: 1000000000000.0', 'poll_s: 1000000000000.0 s is outside'),
        ('/**/camera_sync', 'poll_s: .nan', 'poll_s: nan s is outside'),
        ('/alpamayo/camera_sync', 'decode_threads: 0', 'decode_threads: 0 is outside [1, 16]'),
        ('/**/planner', 'slack: 0.5', 'slack: 0.5 is outside [1.0, 10.0]'),
        ('/**/trajectory', 'speed_cap_mps: -1', 'speed_cap_mps: -1 m/s is outside'),
        ('/**/controller', 'message: twst', "message: 'twst' is none of twist"),
        ('/**', 'lockstep: 1', 'lockstep: expected bool, got int 1'),
    ],
)
def test_a_value_out_of_bounds_is_named_with_its_line(tmp_path, node, text, said):
    name = written(tmp_path, node, text)
    with pytest.raises(ConfigError) as refused:
        check_parameters(name)
    assert str(refused.value).startswith(f'{name}:3: {said}')


@pytest.mark.parametrize('shipped', SHIPPED)
def test_what_ships_is_within_its_bounds(shipped):
    check_parameters(str(share_dir() / 'config' / shipped))


@pytest.mark.parametrize('node', ['/**/planner', '/alpamayo/planner', 'alpamayo/planner'])
def test_the_model_is_as_new_as_the_file_asks(tmp_path, node):
    assert of_planner('')['minimum_release'] == 0
    least = of_planner(written(tmp_path, node, 'minimum_release: 99'))['minimum_release']
    assert least == 99
    other = written(tmp_path, '/**/monitor', 'period_s: 1.0')
    assert of_planner(other)['minimum_release'] == 0
    with pytest.raises(ConfigError, match='MODEL_ROLLBACK.*minimum=99'):
        check_model('onnx', load_profile('nano'), least=least)


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('', 'lacks **, camera_sync, '),
        ('[1]\n', 'lacks **, camera_sync, '),
        ('/**/planner:\n  ros__parameters: [3]\n', 'lacks **, '),
        (None, 'lacks planner.slack: install it again'),
    ],
)
def test_a_shipped_file_that_is_damaged_is_named(tmp_path, monkeypatch, text, said):
    name = written(tmp_path, '/**/monitor', 'period_s: 1.0')
    whole = (share_dir() / 'config' / 'nodes.param.yaml').read_text()
    (tmp_path / 'config').mkdir()
    shipped = tmp_path / 'config' / 'nodes.param.yaml'
    shipped.write_text(whole.replace('    slack:', '    slakc:') if text is None else text)
    monkeypatch.setattr(parameter_file, 'share_dir', lambda: tmp_path)
    for ask in (of_planner, check_parameters):
        with pytest.raises(ConfigError) as refused:
            ask(name)
        assert str(refused.value).startswith(f'{shipped} ships with the package and {said}')


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('/**/planner:\n  model: x\n', '2: expected .* below /../planner and above model'),
        ('/**/planner:\n  ros_parameters:\n    model: x\n', '3: .* below .* and above model'),
        ('alpamayo:\n  planner:\n    ros__parameters:\n', '2: .* below alpamayo and above pl'),
        ('their_node: 3\n', '1: expected ros__parameters: with keys and values below their_node'),
    ],
)
def test_a_value_that_stands_above_ros__parameters_is_refused(tmp_path, text, said):
    file = tmp_path / 'own.yaml'
    file.write_text(text)
    with pytest.raises(ConfigError, match=f'own.yaml:{said}'):
        check_parameters(str(file))


@pytest.mark.parametrize('node', ['planner', '/planner'])
def test_a_name_that_no_node_of_a_graph_has_is_refused(tmp_path, node):
    name = written(tmp_path, node, 'slack: 2.0')
    with pytest.raises(ConfigError, match=f'own.yaml:1: {node} names no node .*/../planner'):
        check_parameters(name)
