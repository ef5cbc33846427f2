"""A field that holds something else than nuScenes format says is named by table and row."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_up_nuscenes import write_nuscenes
from typer.testing import CliRunner

from alpamayo_ros.cli.data import app
from alpamayo_ros.datasets.nuscenes_fields import FIELDS, wrong_row
from alpamayo_ros.datasets.nuscenes_tables import read_tables
from alpamayo_ros.training.clips.clip import UnreadableClip
from alpamayo_ros.training.clips.nuscenes_clips import NuscenesClips

runner = CliRunner()
NAN, INF = float('nan'), float('inf')
MATRIX = [[9.0, 0, 3], [0, 9.0, 2], [0, 0, 1]]
WRONG = (
    ('sample_annotation', 'size', [-1.9, 4.6, INF]),
    ('sample_annotation', 'size', [1.9, 4.6, INF]),
    ('sample_annotation', 'size', [1.9, 0, 1.6]),
    ('sample_annotation', 'size', [1.9, NAN, 1.6]),
    ('sample_annotation', 'size', [1.9, 4.6]),
    ('sample_annotation', 'size', [1.9, 4.6, True]),
    ('sample_annotation', 'size', None),
    ('sample_annotation', 'translation', [NAN, 0, 0]),
    ('sample_annotation', 'rotation', [0, 0, 0, 0]),
    ('sample_annotation', 'instance_token', ['a']),
    ('sample', 'timestamp', None),
    ('sample', 'timestamp', 'x'),
    ('sample', 'token', {}),
    ('sample_data', 'timestamp', -5),
    ('sample_data', 'timestamp', 10**19),
    ('sample_data', 'timestamp', NAN),
    ('sample_data', 'sample_token', [1]),
    ('ego_pose', 'timestamp', True),
    ('ego_pose', 'rotation', [1, 0, 0]),
    ('ego_pose', 'translation', [10**400, 0, 0]),
    ('calibrated_sensor', 'camera_intrinsic', 5),
    ('calibrated_sensor', 'camera_intrinsic', [1, 2, 3]),
    ('calibrated_sensor', 'camera_intrinsic', [*MATRIX[:2], [0, 0, NAN]]),
)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp('nuscenes')
    write_nuscenes(made)
    return made


@pytest.fixture
def changed(folder: Path, tmp_path: Path) -> Callable[[str, Callable[[Any], Any]], Path]:
    """The folder with one table changed."""
    source = shutil.copytree(folder, tmp_path / 'source')

    def change(table: str, to: Callable[[Any], Any]) -> Path:
        file = source / 'v1.0-mini' / f'{table}.json'
        file.write_text(json.dumps(to(json.loads(file.read_text()))))
        return source

    return change


def row_of(table: str) -> dict[str, Any]:
    kinds = {
        'timestamp': 1_532_402_927_000_000,
        'rotation': [1, 0, 0, 0],
        'translation': [400.5, 1100, 0],
        'size': [1.9, 4.6, 1.6],
        'camera_intrinsic': MATRIX,
    }
    return {name: kinds.get(name, 'x') for name in FIELDS[table]}


@pytest.mark.parametrize(('table', 'field', 'value'), WRONG)
def test_a_value_that_cannot_be_used_is_named(table: str, field: str, value: Any) -> None:
    sound = row_of(table)
    assert wrong_row(table, sound) == ''
    said = wrong_row(table, {**sound, field: value})
    assert said.startswith(f'has {field} ') and ', expected ' in said
    assert len(said) < 250


@pytest.mark.parametrize('value', [None, [], MATRIX])
def test_a_sensor_that_is_no_camera_needs_no_intrinsics(value: Any) -> None:
    sound = row_of('calibrated_sensor')
    assert wrong_row('calibrated_sensor', {**sound, 'camera_intrinsic': value}) == ''
    sound.pop('camera_intrinsic')
    assert wrong_row('calibrated_sensor', sound) == ''


def test_times_may_have_a_fraction() -> None:
    assert wrong_row('sample', {**row_of('sample'), 'timestamp': 1.5e15 + 0.5}) == ''


def test_a_row_that_is_no_object_is_named() -> None:
    assert wrong_row('log', 7) == 'is 7, expected an object with token'
    assert wrong_row('scene', {'token': 'a'}) == "has no 'name'"


@pytest.mark.parametrize('command', ['convert', 'log'])
@pytest.mark.parametrize(
    ('table', 'field', 'value'), [w for w in WRONG if w[2] in (None, 'x', 5, [1.9, 4.6])]
)
def test_commands_name_table_and_row(
    command: str, table: str, field: str, value: Any, changed: Any, tmp_path: Path
) -> None:
    out = tmp_path / ('a.mcap' if command == 'convert' else 'a.json')
    source = changed(table, lambda rows: [*rows[:1], {**rows[1], field: value}, *rows[2:]])
    done = runner.invoke(app, [command, 'nuscenes', str(source), str(out)])
    assert done.exit_code == 2, done.output
    assert f'{table}.json: row 1 has {field} {value!r}, expected' in done.output.replace('\n', ' ')
    assert not out.exists()


def test_tables_without_a_scene_or_its_rows_say_so(changed: Any, tmp_path: Path) -> None:
    source = changed('sample_data', lambda _: [])
    with pytest.raises(
        FileNotFoundError, match=r'sample_data\.json has no row of scene scene-0061'
    ):
        read_tables(source)
    changed('scene', lambda _: [])
    with pytest.raises(ValueError, match=r'scene\.json lists no scene'):
        read_tables(source)


def test_a_table_that_is_nested_without_end_is_refused(changed: Any) -> None:
    source = changed('scene', lambda _: [])
    (source / 'v1.0-mini' / 'scene.json').write_text('[' * 100_000)
    with pytest.raises(ValueError, match=r'scene\.json is no JSON'):
        read_tables(source)


def test_a_mount_that_no_vehicle_has_names_the_camera(changed: Any, tmp_path: Path) -> None:
    far = changed(
        'calibrated_sensor', lambda rows: [{**r, 'translation': [40, 0, 1]} for r in rows]
    )
    done = runner.invoke(app, ['convert', 'nuscenes', str(far), str(tmp_path / 'a.mcap')])
    assert done.exit_code == 2
    assert 'camera front as it is calibrated cannot be used: x_m' in done.output.replace('\n', ' ')
    assert 'pydantic' not in done.output


@pytest.mark.parametrize('command', ['convert', 'log'])
@pytest.mark.parametrize(
    ('table', 'change', 'said'),
    [
        ('ego_pose', lambda rows: [*rows, {**rows[0], 'translation': [0, 0, 0]}], 'the token'),
        (
            'sample_annotation',
            lambda rows: [{**rows[0], 'instance_token': 'x'}],
            "'x' leads",
        ),
        ('instance', lambda rows: [{**row, 'category_token': 'x'} for row in rows], "'x' leads"),
    ],
)
def test_what_leads_nowhere_or_to_two_is_refused(
    command: str, table: str, change: Any, said: str, changed: Any, tmp_path: Path
) -> None:
    """The last of two poses was taken, and a box of no category was 'unknown'."""
    source, out = changed(table, change), tmp_path / 'out'
    suffix = '.mcap' if command == 'convert' else '.json'
    done = runner.invoke(app, [command, 'nuscenes', str(source), str(out.with_suffix(suffix))])
    assert done.exit_code == 2 and said in str(done.exception) + done.output


def test_pictures_of_one_camera_with_one_stamp_are_refused(changed: Any, tmp_path: Path) -> None:
    """All of them at one time made a bag whose cameras are at 1 Hz."""
    out = tmp_path / 'a.mcap'
    source = changed('sample_data', lambda rows: [{**r, 'timestamp': 1_000_000} for r in rows])
    done = runner.invoke(app, ['convert', 'nuscenes', str(source), str(out)])
    assert done.exit_code == 2 and not out.exists()
    said = done.output.replace('\n', ' ')
    assert 'samples/CAM_BACK_LEFT/0.jpg and sweeps/CAM_BACK_LEFT/1.jpg: two pictures of' in said
    assert 'CAM_BACK_LEFT at 1000000 us; expected a timestamp of its own for each' in said


def test_one_stamp_twice_makes_the_clip_unreadable(changed: Any) -> None:
    source = changed(
        'sample_data', lambda rows: [{**rows[0], 'token': 'x', 'is_key_frame': False}, *rows]
    )
    (clip,) = NuscenesClips(source).clips()
    assert isinstance(clip, UnreadableClip)
    with pytest.raises(ValueError, match='two pictures of CAM_FRONT at 1532402927000000 us'):
        clip.rig.cameras  # noqa: B018
