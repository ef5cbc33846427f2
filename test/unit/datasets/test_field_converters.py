"""Converters on what the field has: side channels with their own times, shapes, resized pictures.

Every test is named after the kind of mistake that it rules out.
"""

from __future__ import annotations

import json
import pickle  # noqa: TID251  (makes a file that is read here as data; reads none)
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from alpamayo_ros.cli.data import app
from alpamayo_ros.datasets import (
    kitti_odometry,
    log_nuscenes,
    log_scenarionet,
    nuscenes,
)
from alpamayo_ros.datasets.log_build import build
from alpamayo_ros.datasets.log_format import Log, LogError
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.simulation.scenario import load_scenario


# ---- signals on another time base than the ego --------------------------------------------------
def scene(
    dt_s: float = 0.1, valid_from_s: float = 0.0, starts_s: float = 0.0, array: bool = False
) -> dict[str, Any]:
    """Ten seconds to the east at 8 m/s; the signal turns green 3.0 s after the scene's start."""
    n = round(10 / dt_s) + 1
    s = np.arange(n) * dt_s
    state = {
        'position': np.stack([8 * s, 0 * s, 0 * s], 1),
        'heading': 0 * s,
        'velocity': np.stack([0 * s + 8, 0 * s], 1),
        'valid': s >= valid_from_s - 1e-9,
        **{name: np.full(n, size) for name, size in (('length', 4.5), ('width', 1.8))},
    }
    shown: Any = ['LANE_STATE_STOP' if t < 3.0 - 1e-9 else 'LANE_STATE_GO' for t in s]
    lane = np.array([[-50.0, 0.0], [200.0, 0.0]])
    return {
        'length': n,
        'tracks': {'ego': {'type': 'VEHICLE', 'state': state}},
        'map_features': {'1': {'type': 'LANE_SURFACE_STREET', 'polyline': lane}},
        'dynamic_map_states': {
            '1': {
                'state': {'object_state': np.array(shown) if array else shown},
                'lane': '1',
                'stop_point': np.array([60.0, 0.0, 0.0]),
            }
        },
        'metadata': {'sdc_id': 'ego', 'ts': s + starts_s},
    }


def log_of(data: dict[str, Any], folder: Path) -> Log:
    path = folder / 'scene.pkl'
    path.write_bytes(pickle.dumps(data))
    return build(log_scenarionet.read(path))


@pytest.mark.parametrize(
    ('how', 'green_step'),
    [
        ({}, 30),
        ({'dt_s': 0.05}, 30),
        ({'dt_s': 0.2}, 30),
        ({'valid_from_s': 2.0}, 10),
        ({'valid_from_s': 5.0}, 0),
        ({'starts_s': 5.0}, 30),
        ({'array': True}, 30),
    ],
    ids=['plain', '20 Hz', '5 Hz', 'ego late', 'ego after it', 'own epoch', 'array'],
)
def test_signals_change_by_their_times_not_by_their_index(
    how: dict[str, Any], green_step: int, tmp_path: Path
) -> None:
    (signal,) = log_of(scene(**how), tmp_path).signals
    assert signal.at(green_step) == 'green'
    if green_step:
        assert signal.at(green_step - 1) == 'red'
        assert signal.steps == (0, green_step)


def test_a_signal_that_is_left_out_is_counted(tmp_path: Path) -> None:
    data = scene()
    data['dynamic_map_states']['2'] = {'state': {'object_state': ['LANE_STATE_GO']}, 'lane': '1'}
    nowhere = data['dynamic_map_states']['1'] | {'stop_point': np.full(3, np.nan)}
    data['dynamic_map_states']['3'] = nowhere
    log = log_of(data, tmp_path)
    assert len(log.signals) == 1
    assert any('2 signals are left out' in text for text in log.provenance.assumed)


def test_a_map_that_is_no_numbers_is_named_with_its_file(tmp_path: Path) -> None:
    data = scene()
    data['map_features']['1']['polyline'] = 'abc'
    with pytest.raises(LogError, match=r'scene\.pkl: no ScenarioNet scene: ValueError'):
        log_of(data, tmp_path)


# ---- pictures with times of their own -----------------------------------------------------------
@pytest.fixture
def kitti(tmp_path: Path) -> Path:
    (tmp_path / 'image_0').mkdir()
    for i in range(4):
        picture = np.full((16, 24), 40 + i, np.uint8)
        assert cv2.imwrite(str(tmp_path / 'image_0' / f'{i:06d}.png'), picture)
    row = '20 0 12 0 0 20 8 0 0 0 1 0'
    (tmp_path / 'calib.txt').write_text(f'P0: {row}\n')
    poses = [f'1 0 0 0 0 1 0 0 0 0 1 {z}' for z in range(4)]
    (tmp_path / 'poses.txt').write_text('\n'.join(poses) + '\n')
    return tmp_path


def test_pictures_have_the_times_of_their_own_file(kitti: Path) -> None:
    (kitti / 'times.txt').write_text('0.0\n0.1037\n0.4148\n0.5185\n')
    found = kitti_odometry.read_sequence(kitti)
    assert np.diff(found.stamps_ns).tolist() == [103_700_000, 311_100_000, 103_700_000]
    assert found.rig.cameras[0].rate_hz == pytest.approx(1 / 0.1037, abs=0.01)
    facts = kitti_odometry.convert(kitti, kitti / 'a.mcap')
    assert 'times' in facts.real
    assert not any('every 0.1 s' in text for text in facts.assumed)


@pytest.mark.parametrize(
    'text', ['0.0\n0.1\n', '0\n0.1\n0.1\n0.2\n', '0\n1\n2\nlate\n', '0\n1\n2\nnan']
)
def test_times_that_do_not_fit_are_refused(text: str, kitti: Path) -> None:
    (kitti / 'times.txt').write_text(text)
    with pytest.raises(ValueError, match=r'times\.txt: expected'):
        kitti_odometry.read_sequence(kitti)


def nuscenes_folder(folder: Path, size: tuple[int, int], listed: tuple[int, int] | None) -> None:
    matrix = [[1000.0, 0.0, 800.0], [0.0, 1000.0, 450.0], [0.0, 0.0, 1.0]]
    tables: dict[str, list[dict[str, Any]]] = {
        'scene': [{'token': 'a', 'name': 'scene-0001'}],
        'sample': [],
        'sample_data': [],
        'ego_pose': [],
        'sensor': [{'token': 's', 'channel': 'CAM_FRONT', 'modality': 'camera'}],
        'calibrated_sensor': [
            {
                'token': 'c',
                'sensor_token': 's',
                'rotation': [0.5, -0.5, 0.5, -0.5],
                'translation': [1.5, 0, 1.5],
                'camera_intrinsic': matrix,
            }
        ],
    }
    (folder / 'samples').mkdir()
    for k in range(3):
        stamp, file = 1_000_000 + 200_000 * k, f'samples/{k}.jpg'
        pose = {'token': f'p{k}', 'timestamp': stamp, 'rotation': [1, 0, 0, 0]}
        tables['ego_pose'].append({**pose, 'translation': [1.0 * k, 0, 0]})
        tables['sample'].append({'token': f't{k}', 'timestamp': stamp, 'scene_token': 'a'})
        row = {'sample_token': f't{k}', 'ego_pose_token': f'p{k}', 'filename': file}
        row |= {'calibrated_sensor_token': 'c', 'timestamp': stamp}
        if listed is not None:
            row |= {'width': listed[0], 'height': listed[1]}
        tables['sample_data'].append(row)
        picture = np.full((size[1], size[0], 3), 50 * k, np.uint8)
        assert cv2.imwrite(str(folder / file), picture)
    (folder / 'v1.0-mini').mkdir()
    for name, rows in tables.items():
        (folder / 'v1.0-mini' / f'{name}.json').write_text(json.dumps(rows))


def test_a_calibration_follows_pictures_that_were_made_smaller(tmp_path: Path) -> None:
    nuscenes_folder(tmp_path, (800, 450), (1600, 900))
    facts = nuscenes.convert(tmp_path, tmp_path / 'a.mcap')
    camera = load_rig(tmp_path / 'a.rig.yaml').camera('front')
    assert (camera.width, camera.height) == (800, 450)
    assert camera.matrix[0, 0] == 500.0
    assert camera.matrix[0, 2] == pytest.approx(0.5 * 800.5 - 0.5)
    assert any('1600 x 900' in text for text in facts.computed)


def test_pictures_of_another_shape_are_refused(tmp_path: Path) -> None:
    nuscenes_folder(tmp_path, (800, 800), (1600, 900))
    with pytest.raises(ValueError, match='CAM_FRONT: pictures are 800 x 800.*1600 x 900'):
        nuscenes.convert(tmp_path, tmp_path / 'a.mcap')


@pytest.mark.parametrize('number', [0, 2])
def test_a_pointer_of_git_lfs_is_named(number: int, tmp_path: Path) -> None:
    nuscenes_folder(tmp_path, (64, 36), None)
    (tmp_path / 'samples' / f'{number}.jpg').write_text('version https://git-lfs.github.com/x\n')
    with pytest.raises(
        ValueError, match=rf'samples/{number}\.jpg: a Git LFS pointer.*git lfs pull'
    ):
        nuscenes.convert(tmp_path, tmp_path / 'a.mcap')
    assert not (tmp_path / 'a.mcap').exists()


def test_every_picture_is_looked_at_before_it_is_copied(tmp_path: Path) -> None:
    nuscenes_folder(tmp_path, (64, 36), None)
    (tmp_path / 'samples' / '2.jpg').write_bytes(b'\xff\xd8 and no more')
    with pytest.raises(ValueError, match=r'samples/2\.jpg: no picture of 64 x 36') as found:
        nuscenes.convert(tmp_path, tmp_path / 'a.mcap')
    assert 'neither JPEG nor PNG' in str(found.value) and 'Publish' not in str(found.value)


@pytest.mark.parametrize('number', [0, 2])
def test_an_empty_picture_is_named_without_advice_for_topics(number: int, tmp_path: Path) -> None:
    nuscenes_folder(tmp_path, (64, 36), None)
    (tmp_path / 'samples' / f'{number}.jpg').write_bytes(b'')
    with pytest.raises(ValueError, match=rf'samples/{number}\.jpg: an empty file') as found:
        nuscenes.convert(tmp_path, tmp_path / 'a.mcap')
    assert 'Publish' not in str(found.value)


@pytest.mark.parametrize('convert', ['bag', 'log'])
def test_a_pose_with_nan_is_refused(convert: str, tmp_path: Path) -> None:
    nuscenes_folder(tmp_path, (64, 36), None)
    path = tmp_path / 'v1.0-mini' / 'ego_pose.json'
    path.write_text(path.read_text().replace('[1.0, 0, 0]', '[NaN, 0, 0]'))
    with pytest.raises(
        ValueError, match=r'ego_pose\.json: row 1 has translation \[nan, 0, 0\], expected three'
    ):
        if convert == 'bag':
            nuscenes.convert(tmp_path, tmp_path / 'a.mcap')
        else:
            log_nuscenes.read(tmp_path)


# ---- names that YAML would read as something else -----------------------------------------------
def test_a_scene_called_by_a_number_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / '0.pkl').write_bytes(pickle.dumps(scene()))
    words = ['log', 'scenarionet', str(tmp_path / '0.pkl'), str(tmp_path / '0.json')]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert load_scenario(tmp_path / '0.yaml').name == '0'
