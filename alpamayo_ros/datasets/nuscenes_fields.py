"""What the fields of a table in nuScenes format hold, and what is wrong with a row."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

MOST = 1e9  # of a number that a converter computes with
LAST_US = (2**31 - 1) * 1_000_000  # a stamp of ROS has 31 bits of seconds
SHOWN = 60  # characters of a value


class Field(NamedTuple):
    """What a field must be; ``needed``: whether every row has it."""

    fits: Callable[[Any], bool]
    expected: str
    needed: bool = True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MOST


def _are_numbers(value: Any, count: int) -> bool:
    return isinstance(value, list) and len(value) == count and all(map(_is_number, value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str | int)


def _is_time(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= value <= LAST_US


def _is_rotation(value: Any) -> bool:
    return _are_numbers(value, 4) and math.hypot(*value) > 1e-6


def _is_size(value: Any) -> bool:
    return _are_numbers(value, 3) and min(value) > 0


def _is_matrix(value: Any) -> bool:
    if value in (None, []):  # of a sensor that is no camera
        return True
    rows = isinstance(value, list) and len(value) == 3
    return rows and all(_are_numbers(row, 3) for row in value)


TEXT = Field(_is_text, 'text')
TIME = Field(_is_time, f'microseconds from 0 to {LAST_US}')
ROTATION = Field(_is_rotation, f'four numbers (w, x, y, z) of at most {MOST:g}, not all 0')
TRANSLATION = Field(lambda value: _are_numbers(value, 3), f'three numbers of at most {MOST:g} [m]')
SIZE = Field(_is_size, f'width, length and height above 0 and of at most {MOST:g} [m]')
MATRIX = Field(_is_matrix, f'three rows of three numbers of at most {MOST:g}', needed=False)
POSE = {'rotation': ROTATION, 'translation': TRANSLATION}
FIELDS: Mapping[str, Mapping[str, Field]] = {
    'scene': {'token': TEXT, 'name': TEXT},
    'sample': {'token': TEXT, 'timestamp': TIME, 'scene_token': TEXT},
    'sample_data': {
        'sample_token': TEXT,
        'ego_pose_token': TEXT,
        'calibrated_sensor_token': TEXT,
        'filename': TEXT,
        'timestamp': TIME,
    },
    'ego_pose': {'token': TEXT, 'timestamp': TIME, **POSE},
    'calibrated_sensor': {
        'token': TEXT,
        'sensor_token': TEXT,
        **POSE,
        'camera_intrinsic': MATRIX,
    },
    'sensor': {'token': TEXT, 'channel': TEXT, 'modality': TEXT},
    'sample_annotation': {'sample_token': TEXT, 'instance_token': TEXT, **POSE, 'size': SIZE},
    'instance': {'token': TEXT, 'category_token': TEXT},
    'category': {'token': TEXT, 'name': TEXT},
    'log': {'token': TEXT},
}


def wrong_row(table: str, row: Any) -> str:
    """The first thing that is wrong with a row, after its number in a sentence; '' for none."""
    if not isinstance(row, dict):
        return f'is {_shown(row)}, expected an object with {", ".join(FIELDS[table])}'
    for name, field in FIELDS[table].items():
        if name not in row:
            if field.needed:
                return f'has no {name!r}'
        elif not field.fits(row[name]):
            return f'has {name} {_shown(row[name])}, expected {field.expected}'
    return ''


def _shown(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= SHOWN else f'{said[: SHOWN - 3]}...'
