"""The tables of a nuScenes-format folder (``v1.0-*/*.json``), joined for one scene.

The format: H. Caesar et al., "nuScenes: A multimodal dataset for autonomous driving", CVPR 2020,
and its published schema.  No software of the dataset is used.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from alpamayo_ros.datasets.nuscenes_fields import wrong_row
from alpamayo_ros.sensing.odometry import SPEED_MAX_MPS
from alpamayo_ros.statuses import ConfigError, NoSuchFileError

Row = Mapping[str, Any]
TABLES = ('scene', 'sample', 'sample_data', 'ego_pose', 'calibrated_sensor', 'sensor')
OPTIONAL = ('sample_annotation', 'instance', 'category', 'log')


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: the sensor's row, the calibration's, and the pose's.

    ``size``: width and height as the tables have it, which is what the calibration is of; None
    where they do not say.
    """

    channel: str
    stamp_us: int
    file: str
    key_frame: bool
    calibration: Row
    pose: Row
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class SceneTables:
    """Everything of one scene: pictures and poses in time order, boxes by sample time.

    ``annotations``: (time of the sample [us], row, category's name).
    """

    name: str
    version: str
    location: str
    pictures: tuple[Picture, ...]
    poses: tuple[Row, ...]
    annotations: tuple[tuple[int, Row, str], ...]


def scene_names(folder: Path, version: str = '') -> list[str]:
    """Names of the scenes in a folder."""
    return [str(row['name']) for row in _load(_version(folder, version), 'scene')]


def read_tables(folder: Path, scene: str = '', version: str = '') -> SceneTables:
    """Join the tables for ``scene`` (a name; '': the first).

    FileNotFoundError or ValueError say what is missing.
    """
    home = _version(folder, version)
    tables = {name: _load(home, name) for name in TABLES}
    tables |= {name: _load(home, name) for name in OPTIONAL if (home / f'{name}.json').exists()}
    if not tables['scene']:
        raise ValueError(f'{home / "scene.json"} lists no scene; expected a row for each')
    chosen = next((s for s in tables['scene'] if scene in ('', s['name'], s['token'])), None)
    if chosen is None:
        names = [s['name'] for s in tables['scene']]
        raise ValueError(f'no scene {scene!r}; there are {names[:10]}{" ..." * (len(names) > 10)}')
    samples = {s['token']: s for s in tables['sample'] if s['scene_token'] == chosen['token']}
    by_token = {
        name: _by_token(tables[name]) for name in ('ego_pose', 'calibrated_sensor', 'sensor')
    }
    pictures, poses = [], {}
    for row in tables['sample_data']:
        if row['sample_token'] not in samples:
            continue
        calibration = _find(by_token['calibrated_sensor'], row, 'calibrated_sensor_token')
        sensor = _find(by_token['sensor'], calibration, 'sensor_token')
        pose = _find(by_token['ego_pose'], row, 'ego_pose_token')
        poses[int(pose['timestamp'])] = pose
        if sensor['modality'] == 'camera':
            key = bool(row.get('is_key_frame', True))
            head = (str(sensor['channel']), int(row['timestamp']), str(row['filename']), key)
            pictures.append(Picture(*head, calibration, pose, _size(row)))
    if not poses:
        text = f'{home / "sample_data.json"} has no row of scene {chosen["name"]}'
        raise FileNotFoundError(f'{text}; expected one for each picture')
    log = _by_token(tables.get('log', [])).get(str(chosen.get('log_token')), {})
    return SceneTables(
        str(chosen['name']),
        home.name,
        str(log.get('location', '')),
        tuple(sorted(pictures, key=lambda p: (p.stamp_us, p.channel))),
        tuple(poses[t] for t in sorted(poses)),
        tuple(_annotations(tables, samples)),
    )


def check_stamps(pictures: Sequence[Picture]) -> None:
    """ValueError where two pictures of a camera, in the order of time, have one stamp."""
    last: dict[str, Picture] = {}
    for picture in pictures:
        before = last.get(picture.channel)
        if before is not None and before.stamp_us == picture.stamp_us:
            raise ValueError(
                f'{before.file} and {picture.file}: two pictures of {picture.channel} at '
                f'{picture.stamp_us} us; expected a timestamp of its own for each in '
                'sample_data.json'
            )
        last[picture.channel] = picture


def check_unit(poses: Sequence[Row]) -> None:
    """ValueError where the way per time is faster than any car."""
    places = np.array([row['translation'][:2] for row in poses], float)
    span_s = (int(poses[-1]['timestamp']) - int(poses[0]['timestamp'])) / 1e6
    way_m = float(np.hypot(*np.diff(places, axis=0).T).sum())
    if way_m > SPEED_MAX_MPS * span_s:
        raise ValueError(
            f'ego_pose.json: {way_m:.3g} m in {span_s:.3g} s; expected timestamps in microseconds '
            'and translations in metres'
        )


def _size(row: Row) -> tuple[int, int] | None:
    """Width and height of a picture's row; None where they are not both given."""
    given = (row.get('width'), row.get('height'))
    if not all(isinstance(v, int) and v > 0 for v in given):
        return None
    return int(row['width']), int(row['height'])


def _categories(tables: Mapping[str, Sequence[Row]]) -> Callable[[Row], str]:
    """Names a box's category; 'unknown' where the folder has no tables of them."""
    if 'instance' not in tables or 'category' not in tables:
        return lambda row: 'unknown'
    instances, categories = _by_token(tables['instance']), _by_token(tables['category'])

    def named(row: Row) -> str:
        instance = _find(instances, row, 'instance_token')
        return str(_find(categories, instance, 'category_token')['name'])

    return named


def _annotations(
    tables: Mapping[str, Sequence[Row]], samples: Mapping[str, Row]
) -> list[tuple[int, Row, str]]:
    category_of = _categories(tables)
    rows = []
    for row in tables.get('sample_annotation', []):
        sample = samples.get(row['sample_token'])
        if sample is not None:
            name = row.get('category_name') or category_of(row)
            rows.append((int(sample['timestamp']), row, str(name)))
    return sorted(rows, key=lambda r: (r[0], str(r[1]['instance_token'])))


def _version(folder: Path, version: str) -> Path:
    """The folder of the tables; the only one there is, unless named."""
    found = sorted(p for p in folder.glob(f'{version or "v1.0-*"}') if p.is_dir())
    if not found:
        text = f'no folder {version or "v1.0-*"} in {folder}; a nuScenes-format folder holds'
        raise FileNotFoundError(f'{text} v1.0-mini/*.json (or -trainval, -test) and samples/')
    if len(found) > 1:
        names = ', '.join(p.name for p in found)
        raise ValueError(
            f'{folder} holds {names}; name one with --version, or give a folder with one'
        )
    return found[0]


def _load(home: Path, name: str) -> list[Row]:
    path = home / f'{name}.json'
    try:
        rows = json.loads(path.read_text())
    except FileNotFoundError:
        raise NoSuchFileError(f'no {name}.json in {home}') from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f'{path} is no JSON: {error}') from error
    if not isinstance(rows, list):
        raise ConfigError(f'{path}: expected a list of rows')
    for number, row in enumerate(rows):
        if wrong := wrong_row(name, row):
            raise ConfigError(f'{path}: row {number} {wrong}')
    tokens = Counter(str(row['token']) for row in rows if 'token' in row)
    twice = [token for token, count in tokens.items() if count > 1]
    if twice:
        raise ConfigError(f'{path}: more than one row has the token {twice[0]!r}; expected one')
    return rows


def _by_token(rows: Sequence[Row]) -> dict[str, Row]:
    return {str(row['token']): row for row in rows}


def _find(table: Mapping[str, Row], row: Row, key: str) -> Row:
    found = table.get(str(row[key]))
    if found is None:
        raise ValueError(f'{key} {row[key]!r} leads nowhere: the tables do not fit together')
    return found
