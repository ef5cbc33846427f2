"""NVIDIA's PhysicalAI-Autonomous-Vehicles as it lies on a disk: files, tables and what they mean.

Layout and fields are those of the devkit's published documentation (NVlabs/physical_ai_av, wiki of
October 2025): the rig frame is the rear axle's middle on the ground, x forward; times are
microseconds from the start of a clip; camera frames have x right, y down, z forward.
``*.chunk_NNNN.zip`` may be as downloaded or unpacked beside its place.
"""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float

from alpamayo_ros.datasets.conversion import pose_of, rotation_of
from alpamayo_ros.datasets.conversion import vehicle as vehicle_of
from alpamayo_ros.datasets.named_cameras import camera
from alpamayo_ros.datasets.parquet_table import Columns, numbers, read_parquet
from alpamayo_ros.sensing.rig import Distortion, Rig, RigCamera
from alpamayo_ros.types import EgoState

CAMERAS = {  # of the data set: what this package calls a camera that looks there
    'camera_front_wide_120fov': 'front',
    'camera_cross_left_120fov': 'front_left',
    'camera_cross_right_120fov': 'front_right',
    'camera_rear_left_70fov': 'rear_left',
    'camera_rear_right_70fov': 'rear_right',
    'camera_front_tele_30fov': 'front_tele',
    'camera_rear_tele_30fov': 'rear_tele',
}
# Damaged; RuntimeError: encrypted; NotImplementedError: a compression that zipfile lacks.
UNREADABLE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError)
RATE_HZ = 30.0
EPOCH_NS = 1000 * 10**9  # as simulated recordings: a stamp of zero means that there is none
QUATERNION, PLACE = ('qx', 'qy', 'qz', 'qw'), ('x', 'y', 'z')
LENS = ('width', 'height', 'cx', 'cy', *(f'fw_poly_{k}' for k in range(5)))
SIZES = ('length', 'width', 'wheelbase', 'rear_axle_to_bbox_center')
MOVING_MPS, OFF = 1.0, 3.0  # so fast the speed is compared, so many times it may be off
APART_US = (1e3, 1e6)  # of two pictures of one camera
CENTRED_PX = 0.5  # a lens polynomial that does not begin at the principal point is refused
Answer = TypeVar('Answer')
INDEX, REASONING = 'clip_index.parquet', 'reasoning/ood_reasoning.parquet'


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one clip: a folder, and in which chunk the clip is."""

    root: Path
    clip: str
    chunk: int

    def has(self, group: str, feature: str, ending: str) -> bool:
        """Whether a file of a feature is there."""
        return self._open(group, feature, ending, lambda _: True) or False

    def bytes_of(self, group: str, feature: str, ending: str) -> bytes | None:
        """One file of a feature, unpacked or in its chunk's zip; None where there is none."""
        return self._open(group, feature, ending, lambda found: found())

    def packed(self, group: str, feature: str) -> Path:
        """Where the chunk of a feature lies as it is downloaded."""
        return self.root / group / feature / f'{feature}.chunk_{self.chunk:04d}.zip'

    def _open(
        self, group: str, feature: str, ending: str, use: Callable[[Callable[[], bytes]], Answer]
    ) -> Answer | None:
        folder, name = self.root / group / feature, f'{self.clip}.{feature}{ending}'
        if (folder / name).is_file():
            return use((folder / name).read_bytes)
        packed = self.packed(group, feature)
        if not packed.is_file():
            return None
        try:
            with zipfile.ZipFile(packed) as archive:
                there = name in archive.namelist()
                return use(lambda: archive.read(name)) if there else None
        except UNREADABLE as error:
            raise ValueError(f'{packed}: {error}') from error

    def rows_of(self, feature: str, columns: tuple[str, ...], key: str = '') -> dict[str, Columns]:
        """Rows of a calibration table that are of this clip, by the column ``key``."""
        path = self.root / 'calibration' / feature / f'{feature}.chunk_{self.chunk:04d}.parquet'
        if not path.is_file():
            raise FileNotFoundError(f'there is no {path}')
        wanted = ('clip_id', *filter(None, [key]), *columns)
        table = read_parquet(path, wanted)
        own = [i for i, clip in enumerate(table['clip_id']) if str(clip) == self.clip]
        names = table[key] if key else [''] * len(table['clip_id'])
        return {str(names[i]): {c: [table[c][i]] for c in columns} for i in own}


def clip_index(root: Path) -> dict[str, int]:
    """Chunk by clip, in the order of the index."""
    table = read_parquet(root / INDEX, ('clip_id', 'chunk'))
    chunks = numbers(table, ('chunk',), INDEX)['chunk']
    return {str(clip): int(n) for clip, n in zip(table['clip_id'], chunks, strict=True)}


def read_states(files: Files) -> list[EgoState]:
    """The car in the clip's anchor frame; speed is that of the rig frame along its x axis."""
    data = files.bytes_of('labels', 'egomotion', '.parquet')
    if data is None:
        raise FileNotFoundError(f'{files.clip}: no egomotion below {files.root / "labels"}')
    names, where = ('timestamp', *QUATERNION, *PLACE, 'vx', 'vy'), f'egomotion of {files.clip}'
    table = numbers(read_parquet(data, names), names, where)
    stamps = in_order(table['timestamp'], where)
    if not np.stack([table[k] for k in QUATERNION]).any(0).all():
        raise ValueError(f'{where}: a quaternion of zeros is no attitude')
    _check_unit(table, where)
    turned = rotation_of(table['qw'], table['qx'], table['qy'], table['qz'])
    heading = np.unwrap(np.arctan2(turned[:, 1, 0], turned[:, 0, 0]))
    speed = table['vx'] * np.cos(heading) + table['vy'] * np.sin(heading)
    rate = np.gradient(heading, stamps / 1e6)
    columns = (table['x'], table['y'], heading, speed, rate)
    return [EgoState(stamp_ns(us), *(float(c[i]) for c in columns)) for i, us in enumerate(stamps)]


def in_order(times_us: Float[np.ndarray, ' n'], where: str) -> Float[np.ndarray, ' n']:
    """The times; ValueError where they are fewer than two, or one does not follow the last."""
    back = np.flatnonzero(np.diff(times_us) <= 0)
    if len(back):
        pair = f'{times_us[back[0]]:.0f} and then {times_us[back[0] + 1]:.0f}'
        raise ValueError(f'{where}: timestamp {pair}; expected rows in the order of time')
    if len(times_us) < 2:
        raise ValueError(f'{where}: {len(times_us)} rows; expected two or more')
    return times_us


def _check_unit(table: Mapping[str, Float[np.ndarray, ' n']], where: str) -> None:
    """ValueError where the way per time and the speed contradict each other many times over."""
    way_m = np.hypot(np.diff(table['x']), np.diff(table['y']))
    by_place = way_m / np.diff(table['timestamp'] / 1e6)
    by_speed = np.hypot(table['vx'], table['vy'])[1:]
    moving = by_speed > MOVING_MPS
    if moving.any() and not 1 / OFF < np.median(by_place[moving] / by_speed[moving]) < OFF:
        said = f'{np.median(by_place[moving]):.3g} m/s by x, y and timestamp'
        text = f'{where}: {said}, {np.median(by_speed[moving]):.3g} m/s by vx and vy'
        raise ValueError(f'{text}; expected metres and microseconds')


def stamp_ns(time_us: float | int) -> int:
    """A time of a clip as a stamp."""
    return EPOCH_NS + round(float(time_us) * 1000)


def read_rig(files: Files) -> Rig:
    """Cameras that have both calibrations, and the clip's own vehicle."""
    lenses = files.rows_of('camera_intrinsics', LENS, 'camera_name')
    mounts = files.rows_of('sensor_extrinsics', (*QUATERNION, *PLACE), 'sensor_name')
    cameras = [
        _camera(name, lenses[key], mounts[key], f'{key} of {files.clip}')
        for key, name in CAMERAS.items()
        if key in lenses and key in mounts
    ]
    if not cameras:
        raise ValueError(f'{files.clip}: no calibration of a camera; there is {sorted(lenses)}')
    sizes = files.rows_of('vehicle_dimensions', SIZES).get('')
    if sizes is None:
        raise ValueError(f'{files.clip}: vehicle_dimensions has no row of this clip')
    found = numbers(sizes, SIZES, f'vehicle_dimensions of {files.clip}')
    size = {k: float(v[0]) for k, v in found.items()}
    front_m = size['rear_axle_to_bbox_center'] + size['length'] / 2
    try:
        car = vehicle_of(size['wheelbase'], size['length'], size['width'], front_m)
    except ValueError as error:
        raise ValueError(f'{files.clip}: {error}') from error
    about = 'PhysicalAI-Autonomous-Vehicles; the largest steering angle is assumed'
    return Rig(name='physical_ai_av', description=about, cameras=tuple(cameras), vehicle=car)


def _camera(name: str, lens: Columns, mount: Columns, where: str) -> RigCamera:
    """A camera with its f-theta lens: radius in pixels as a polynomial of the angle."""
    width, height, cx, cy, *poly = (float(v[0]) for v in numbers(lens, LENS, where).values())
    if abs(poly[0]) > CENTRED_PX or poly[1] <= 0:
        raise ValueError(f'{where}: a lens polynomial of {poly}; expected to begin with 0, f > 0')
    placed = numbers(mount, ('qw', *QUATERNION[:3], *PLACE), where)
    pose = [float(v[0]) for v in placed.values()]
    matrix = (poly[1], 0.0, cx, 0.0, poly[1], cy, 0.0, 0.0, 1.0)
    try:
        base = pose_of(pose[:4], pose[4:])
        made = camera(name, base, matrix, (round(width), round(height)), RATE_HZ)
    except ValueError as error:
        raise ValueError(f'{where}: {error}') from error
    largest = _largest_rad(poly, max(cx, width - cx), max(cy, height - cy))
    bent = tuple(p / poly[1] for p in poly[2:])
    lens_model = Distortion(model='ftheta', coefficients=(largest, *bent))
    return made.model_copy(update={'distortion': lens_model})


def _largest_rad(poly: list[float], across_px: float, down_px: float) -> float:
    """The angle up to which the lens shows something: its far corner, or where it turns back."""
    angles = np.linspace(0.0, math.pi / 2, 1001)
    radii = np.polynomial.polynomial.polyval(angles, poly)
    ends = (np.diff(radii, append=math.inf) <= 0) | (radii > math.hypot(across_px, down_px))
    return float(angles[int(np.argmax(ends))] if ends.any() else angles[-1])


def camera_times(files: Files, feature: str) -> Float[np.ndarray, ' n'] | None:
    """When each picture of a camera was taken [us]; None where the camera is not there."""
    data = files.bytes_of('camera', feature, '.timestamps.parquet')
    if data is None:
        return None
    where = f'{feature} of {files.clip}'
    table = numbers(read_parquet(data, ('timestamp',)), ('timestamp',), where)
    times = in_order(table['timestamp'], where)
    apart_us = float(np.median(np.diff(times)))
    if not APART_US[0] <= apart_us <= APART_US[1]:
        text = f'{where}: pictures are {apart_us / 1e6:.3g} s apart'
        raise ValueError(f'{text}; expected timestamps in microseconds')
    return times


def reasoning(root: Path) -> dict[str, list[tuple[int, str]]]:
    """Sentences by clip with their times [us], of those few clips that have some.

    A sentence without a time is left out: nobody knows which pictures it is about.
    """
    path = root / REASONING
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    if not path.is_file():
        return found
    table = read_parquet(path, ('clip_id', 'events'))
    for clip, text in zip(table['clip_id'], table['events'], strict=True):
        for event in _events(text, f'{REASONING}: events of {clip}'):
            said, when = event.get('coc') or event.get('cot'), event.get('event_start_timestamp')
            if said and isinstance(when, int | float) and math.isfinite(when):
                found[str(clip)].append((int(when), str(said)))
    return found


def _events(text: Any, where: str) -> list[Mapping[str, Any]]:
    """The events of a row: JSON, or a list that parquet itself holds."""
    try:
        events = text if isinstance(text, list) else json.loads(text or '[]')
    except (TypeError, ValueError) as error:
        raise ValueError(f'{where} are no JSON: {error}') from error
    if not isinstance(events, list) or not all(isinstance(one, Mapping) for one in events):
        raise ValueError(f'{where} are {str(events)[:80]}; expected a list of objects')
    return events
