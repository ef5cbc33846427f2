"""Logs from ScenarioNet, CommonRoad and DGP, and a drive through real agents."""

from __future__ import annotations

import pickle  # noqa: TID251  (makes a file that is read here as data; reads none)
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from alpamayo_ros.cli.data import app
from alpamayo_ros.datasets import log_commonroad, log_scenarionet
from alpamayo_ros.datasets.log_build import build
from alpamayo_ros.datasets.log_format import LogError, read_log
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.open_world import open_world

runner = CliRunner()
STEPS = 41


def _track(
    kind: str, x_m: float, speed_mps: float, size: tuple[float, float], raw: str = ''
) -> Any:
    t = np.arange(STEPS) * 0.1
    position = np.stack([x_m + speed_mps * t, np.zeros(STEPS), np.zeros(STEPS)], 1)
    valid = np.ones(STEPS, bool)
    valid[:5] = kind == 'VEHICLE'
    state = {
        'position': position * valid[:, None],
        'heading': np.zeros(STEPS),
        'velocity': np.stack([np.full(STEPS, speed_mps), np.zeros(STEPS)], 1),
        'valid': valid,
        'length': np.full((STEPS, 1), size[0]),
        'width': np.full((STEPS, 1), size[1]),
        'height': np.full((STEPS, 1), 1.5),
    }
    return {'type': kind, 'state': state, 'metadata': {'type': raw}}


def _scenarionet() -> dict[str, Any]:
    x = np.array([[-50.0, 0.0, 1.0], [200.0, 0.0, 1.0]])
    return {
        'id': 's',
        'version': '1',
        'length': STEPS,
        'metadata': {'sdc_id': 'me', 'dataset': 'nuscenes', 'ts': np.arange(STEPS) * 0.1},
        'tracks': {
            'me': _track('VEHICLE', 0.0, 8.0, (1.7, 4.1)),
            'a': _track('VEHICLE', 30.0, 8.0, (9.0, 2.5)),
            'p': _track('PEDESTRIAN', 40.0, 0.0, (0.6, 0.6)),
            'm': _track('CYCLIST', 60.0, 5.0, (2.0, 0.7), 'vehicle.motorcycle'),
            'never': {
                'type': 'VEHICLE',
                'state': {**_track('VEHICLE', 0, 0, (4, 2))['state'], 'valid': np.zeros(STEPS)},
            },
        },
        'map_features': {
            'l': {'type': 'LANE_SURFACE_STREET', 'polyline': x, 'speed_limit_kmh': 36.0},
            'y': {'type': 'ROAD_LINE_SOLID_DOUBLE_YELLOW', 'polyline': x + [0, 1.75, 0]},
            'e': {'type': 'ROAD_EDGE_BOUNDARY', 'polyline': x - [0, 2, 0]},
            'c': {'type': 'CROSSWALK', 'polygon': [[20, -2], [24, -2], [24, 2], [20, 2]]},
            's': {'type': 'STOP_SIGN', 'position': [1, 2, 3]},
        },
        'dynamic_map_states': {
            'l': {
                'state': {'object_state': ['LANE_STATE_STOP'] * 9 + ['LANE_STATE_GO'] * 32},
                'lane': 'l',
                'stop_point': np.array([18.0, 0.0, 1.0]),
            }
        },
    }


def test_scenarionet(tmp_path: Path) -> None:
    path = tmp_path / 'sd_x.pkl'
    path.write_bytes(pickle.dumps(_scenarionet()))
    log = build(log_scenarionet.read(path))
    assert log.ego.length_m == 4.1  # it came the other way round
    assert {a.id: a.kind for a in log.agents} == {
        'a': 'truck',
        'p': 'pedestrian',
        'm': 'motorcycle',
    }
    assert {a.id: a.first for a in log.agents} == {'a': 0, 'p': 5, 'm': 5}
    kinds = sorted(line.kind for line in log.lines)
    assert kinds == ['crosswalk', 'lane_centre', 'lane_line', 'road_edge']
    assert log.of_kind('lane_centre')[0].speed_limit_mps == 10.0
    assert log.of_kind('lane_line')[0].paint == 'yellow_double'
    assert log.signals[0].at(8) == 'red'
    assert log.signals[0].at(9) == 'green'
    assert 'NC' in log.provenance.licence


@pytest.mark.parametrize('lost', ['tracks', 'metadata', 'map_features', 'length'])
def test_a_pickle_that_is_no_scene_is_refused(lost: str, tmp_path: Path) -> None:
    data = _scenarionet()
    del data['metadata']['ts'], data[lost]
    path = tmp_path / 'sd_x.pkl'
    path.write_bytes(pickle.dumps(data))
    with pytest.raises(LogError, match=f'no ScenarioNet scene.*{lost}'):
        log_scenarionet.read(path)


def test_lines_of_no_place_are_counted(tmp_path: Path) -> None:
    data = _scenarionet()
    for key in ('l', 'e'):
        there = data['map_features'][key]
        nowhere = there['polyline'] * [1, float('nan'), 1]
        data['map_features'][f'{key}_lost'] = there | {'polyline': nowhere}
    area = [[0, -2], [9, float('nan')], [9, 2]]
    data['map_features']['l']['polygon'] = area  # the lane has its places, and no area
    path, out = tmp_path / 'sd_x.pkl', tmp_path / 'scene.json'
    path.write_bytes(pickle.dumps(data))
    done = runner.invoke(app, ['log', 'scenarionet', str(path), str(out)])
    assert done.exit_code == 0, done.output
    said = ' '.join(done.output.split())
    assert 'assumed: 2 lines of the map are left out: a place that is no finite number' in said
    lanes = read_log(out).of_kind('lane_centre')
    assert [(lane.id, lane.width_m) for lane in lanes] == [('l', 3.5)]


# ---- CommonRoad ---------------------------------------------------------------------------------
def _lanelet(number: int, y_m: float, rest: str) -> str:
    def bound(side: str, y: float) -> str:
        points = ''.join(f'<point><x>{x}</x><y>{y}</y></point>' for x in (-50, 0, 100))
        return f'<{side}Bound>{points}</{side}Bound>'

    bounds = bound('left', y_m + 1.75) + bound('right', y_m - 1.75)
    return f'<lanelet id="{number}">{bounds}{rest}</lanelet>'


def _state(tag: str, step: int, x_m: float, y_m: float, speed: float) -> str:
    place = f'<position><point><x>{x_m}</x><y>{y_m}</y></point></position>'
    rest = f'<orientation><exact>0</exact></orientation><time><exact>{step}</exact></time>'
    return f'<{tag}>{place}{rest}<velocity><exact>{speed}</exact></velocity></{tag}>'


def _commonroad(version: str, head: str = '') -> str:
    lanes = _lanelet(
        1, 0.0, '<adjacentLeft ref="2" drivingDir="same"/><speedLimit>12</speedLimit>'
    )
    lanes += _lanelet(2, 3.5, '<adjacentRight ref="1" drivingDir="same"/>')
    tag = 'obstacle' if version == '2018b' else 'dynamicObstacle'
    cars = ''
    for number, x, speed in ((7, 0.0, 8.0), (8, 30.0, 6.0)):
        shape = '<rectangle><length>4.2</length><width>1.9</width></rectangle>'
        states = ''.join(_state('state', k, x + speed * k / 10, 0.0, speed) for k in range(1, 31))
        start = _state('initialState', 0, x, 0.0, speed)
        cars += f'<{tag} id="{number}"><type>car</type><shape>{shape}</shape>{start}'
        cars += f'<trajectory>{states}</trajectory></{tag}>'
    parked = _state('initialState', 0, 60.0, 3.5, 0.0)
    cars += f'<staticObstacle id="9"><type>parkedVehicle</type>{parked}</staticObstacle>'
    return (
        f'<?xml version="1.0"?>{head}<commonRoad commonRoadVersion="{version}" '
        f'benchmarkID="X" timeStepSize="0.1">{lanes}{cars}</commonRoad>'
    )


@pytest.mark.parametrize('version', ['2018b', '2020a'])
def test_commonroad(version: str, tmp_path: Path) -> None:
    path = tmp_path / 'x.xml'
    path.write_text(_commonroad(version))
    log = build(log_commonroad.read(path))
    assert log.ego.id == '7'  # who drives furthest
    assert {a.id: a.steps for a in log.agents} == {'8': 31, '9': 31}
    assert log.steps == 31
    lines = sorted((line.kind, line.paint) for line in log.lines if line.kind != 'road_edge')
    dashed = ('lane_line', 'white_dashed')
    assert lines == [('lane_centre', '')] * 2 + [('lane_line', 'white')] * 2 + [dashed]
    assert log.of_kind('lane_centre')[0].width_m == 3.5
    assert log.of_kind('lane_centre')[0].speed_limit_mps == 12.0
    assert build(log_commonroad.read(path, ego='8')).ego.id == '8'
    with pytest.raises(LogError, match="no vehicle '5'; there are 7, 8, 9"):
        log_commonroad.read(path, ego='5')


@pytest.mark.parametrize(
    ('said', 'tags', 'real', 'computed'),
    [
        ('NGSIM', '<urban/>', 'tracks, as the scenario has them', ''),
        ('NGSIM', '<simulated/>', '', 'tracks: simulated, as the scenario says'),
        ('SUMO Traffic Simulator', '', '', 'tracks: simulated, as the scenario says'),
        ('hand-crafted', '<urban/>', '', 'tracks: made by hand, as the scenario says'),
    ],
)
def test_tracks_that_nobody_drove_are_not_called_real(
    said: str, tags: str, real: str, computed: str, tmp_path: Path
) -> None:
    path = tmp_path / 'x.xml'
    text = _commonroad('2020a').replace('benchmarkID', f'source="{said}" benchmarkID', 1)
    text = text.replace('<lanelet', f'<scenarioTags>{tags}</scenarioTags><lanelet', 1)
    path.write_text(text)
    found = log_commonroad.read(path).provenance
    assert found.real == ((real,) if real else ())
    assert (found.computed[0] == computed) == bool(computed)
    assert any(('recording' if real else 'scenario') in text for text in found.assumed)


LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize('head', [LAUGHS, OUTSIDE, '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a">'])
@pytest.mark.parametrize('encoding', ['utf-8', 'utf-16'])
def test_entities_are_refused(head: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / 'x.xml'
    text = _commonroad('2020a', head)
    path.write_bytes(text.replace('?>', f' encoding="{encoding}"?>', 1).encode(encoding))
    with pytest.raises(LogError, match='entities are refused'):
        log_commonroad.read(path)


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('<commonRoad', 'no XML'),
        ('<html/>', 'expected commonRoad'),
        ('<commonRoad commonRoadVersion="2017a"/>', '2017a'),
        ('<commonRoad commonRoadVersion="2020a" timeStepSize="1"/>', 'no vehicle that moves'),
        (_commonroad('2020a').replace('<x>0</x>', '<x>here</x>'), 'no sound CommonRoad'),
        (_commonroad('2020a').replace('<x>30.0</x>', '<x>nan</x>'), 'nan'),
    ],
)
def test_other_files_are_refused(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / 'x.xml'
    path.write_text(text)
    with pytest.raises(LogError, match=words):
        log_commonroad.read(path)


def test_nuscenes_format(tmp_path: Path) -> None:
    from test_converters import SPEED, write_nuscenes

    write_nuscenes(tmp_path)
    out = tmp_path / 'scene.json'
    done = runner.invoke(app, ['log', 'nuscenes', str(tmp_path), str(out)])
    assert done.exit_code == 0, done.output
    log = read_log(out)
    assert log.steps == 21
    assert max(log.ego.speed_mps) == pytest.approx(SPEED, rel=0.1)
    (parked,) = log.agents
    assert (parked.kind, parked.length_m, parked.width_m) == ('car', 4.6, 1.9)
    assert parked.stands == 21
    (tmp_path / 'v1.0-mini' / 'ego_pose.json').write_text('[{"token": "x"}]')
    done = runner.invoke(app, ['log', 'nuscenes', str(tmp_path), str(out)])
    assert done.exit_code == 2
    assert 'nuScenes format' in done.output


# ---- real agents --------------------------------------------------------------------------------
def test_real_agents_are_driven_among_and_drawn(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    pytest.importorskip('moderngl')
    out = tmp_path / 'real.json'
    words = ['log', 'surround_dgp', str(shared_data('surround_dgp')), str(out), '--extend', '4']
    done = runner.invoke(app, words)
    assert done.exit_code == 0, done.output
    assert 'after 0.2 s everybody goes straight on' in done.output.replace('\n', ' ')
    log = read_log(out)
    assert (len(log.agents), log.steps) == (13, 43)
    sim = open_world(load_scenario(out.with_suffix('.yaml')), 0)
    before = sim.images(['front'])['front']
    while not sim.done:
        sim.step(*expert.control(sim))
    after = sim.images(['front'])['front']
    sim.close()
    assert sim.outcome.end in ('goal', 'time')
    assert sim.outcome.collisions_at_fault == 0
    assert sim.outcome.progress > 0.9
    assert np.abs(before.astype(float) - after).mean() > 1.0


def test_a_scene_with_everything_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip('moderngl')
    source, out = tmp_path / 'sd_x.pkl', tmp_path / 'scene.json'
    source.write_bytes(pickle.dumps(_scenarionet()))
    done = runner.invoke(app, ['log', 'scenarionet', str(source), str(out)])
    assert done.exit_code == 0, done.output
    scenario = load_scenario(out.with_suffix('.yaml'))
    assert scenario.speed_limit_mps == 10.0
    sim = open_world(scenario, 0)
    front = sim.images(['front'])['front'].astype(int)
    again = open_world(scenario, 0).images(['front'])['front']
    assert (front == again).all()
    _, green, blue = front[-12:, 200:360].reshape(-1, 3).mean(0)
    assert blue > green - 5  # asphalt, not grass
    red = (front[..., 0] - front[..., 1] > 90).sum()
    assert red > 0  # the signal


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    source = tmp_path / 'sd_x.pkl'
    source.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    done = runner.invoke(app, ['log', 'scenarionet', str(source), str(tmp_path / 'o.json')])
    assert done.exit_code == 2
    assert 'os.system is refused' in done.output
    done = runner.invoke(app, ['log', 'check', str(tmp_path / 'none.json')])
    assert done.exit_code == 2
    assert 'alpamayo data log' in done.output
