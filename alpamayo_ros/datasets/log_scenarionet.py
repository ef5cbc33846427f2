"""A log from a ScenarioNet file (Waymo, nuScenes, nuPlan and others in one pickled form).

Source of the form: metadriverse/scenarionet, documentation of its scenario description.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from alpamayo_ros.datasets.log_build import Material, Seen
from alpamayo_ros.datasets.log_format import DT_S, Kind, LogError, Paint, Provenance
from alpamayo_ros.datasets.log_map import Drawn, Light
from alpamayo_ros.datasets.log_pickle import read_pickle

KINDS: dict[str, Kind] = {
    'VEHICLE': 'car',
    'PEDESTRIAN': 'pedestrian',
    'CYCLIST': 'cyclist',
    'TRAFFIC_CONE': 'cone',
    'TRAFFIC_BARRIER': 'barrier',
}  # anything else: other
FINER: dict[str, Kind] = {
    'truck': 'truck',
    'bus': 'bus',
    'trailer': 'truck',
    'construction': 'truck',
    'motorcycle': 'motorcycle',
}
LARGE_M, HIGH_M = 7.5, 2.2  # a vehicle that is longer is a lorry, one that is higher a van
SHORT_M = 5.5  # and a lorry that is shorter too
SMALLEST_M = 0.2
LIGHTS = {'STOP': 'red', 'CAUTION': 'yellow', 'GO': 'green'}
KMH = 3.6
SOON_S = 1e-6  # times differ by rounding
LICENCES = {
    'nuscenes': 'CC BY-NC-SA 4.0 (nuScenes): not for commercial use',
    'waymo': 'Waymo Open Dataset licence: not for commercial use',
    'nuplan': 'CC BY-NC-SA 4.0 (nuPlan): not for commercial use',
}


def read(path: Path) -> Material:
    """What a ScenarioNet pickle holds; LogError or PickleError where it does not."""
    data = read_pickle(path)
    try:
        return _material(data, path.stem)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        if isinstance(error, LogError):
            raise
        raise LogError(
            f'{path}: no ScenarioNet scene: {type(error).__name__} {error}; '
            'expected tracks, map_features and metadata with sdc_id'
        ) from None


def _material(data: Mapping[str, Any], name: str) -> Material:
    about, tracks = data['metadata'], data['tracks']
    ts = about.get('ts')
    time_s = np.arange(int(data['length'])) * DT_S if ts is None else np.asarray(ts, float)
    sdc = about['sdc_id']
    seen = {str(key): _seen(str(key), track, time_s) for key, track in tracks.items()}
    ego = seen.pop(str(sdc))
    if ego is None:
        raise LogError(f'{name}: the ego {sdc!r} is never valid')
    span_s = (float(ego.time_s[0]), float(ego.time_s[-1]))
    states = list(data.get('dynamic_map_states', {}).values())
    signals = [s for s in (_signal(state, time_s, span_s) for state in states) if s]
    lost = len(states) - len(signals)
    dataset = str(about.get('dataset', 'unknown')).lower()
    provenance = Provenance(
        source=f'ScenarioNet file {name}; dataset {dataset} {data.get("version", "")}'.strip(),
        licence=LICENCES.get(dataset, 'that of the dataset; look it up before you pass it on'),
        attribution=dataset,
        real=('tracks of the ego and of others', 'map, and signals where there are any'),
        computed=('states between sightings, by interpolation',),
        assumed=(
            'the place of the ego is the middle of its box',
            *((f'{lost} signals are left out: no stop point or no states',) if lost else ()),
        ),
    )
    lines = [d for key, f in data['map_features'].items() for d in _lines(str(key), f, dataset)]
    return Material(name, provenance, ego, [s for s in seen.values() if s], lines, signals)


def _seen(key: str, track: Mapping[str, Any], time_s: np.ndarray) -> Seen | None:
    """A track where it is valid; None where it never is."""
    state = track['state']
    valid = np.asarray(state['valid'], bool).ravel()
    if not valid.any():
        return None
    length, width, height = (
        float(np.median(np.asarray(state[k], float).ravel()[valid])) if k in state else 0.0
        for k in ('length', 'width', 'height')
    )
    if track['type'] == 'VEHICLE' and width > length:
        length, width = width, length  # nuScenes' ego has them the other way round
    velocity = np.asarray(state['velocity'], float)[valid]
    heading = np.asarray(state['heading'], float).ravel()[valid]
    along = velocity[:, 0] * np.cos(heading) + velocity[:, 1] * np.sin(heading)
    return Seen(
        id=key,
        kind=_kind(track, length, height),
        length_m=max(length, SMALLEST_M),
        width_m=max(width, SMALLEST_M),
        time_s=time_s[: len(valid)][valid],
        xy=np.asarray(state['position'], float)[valid, :2],
        heading_rad=heading,
        speed_mps=np.abs(along),
    )


def _kind(track: Mapping[str, Any], length_m: float, height_m: float) -> Kind:
    words = str(track.get('metadata', {}).get('type', '')).lower()
    for word, kind in FINER.items():
        if word in words:
            return 'van' if kind == 'truck' and length_m < SHORT_M else kind
    kind = KINDS.get(str(track['type']), 'other')
    if kind != 'car':
        return kind
    if length_m > LARGE_M:
        return 'truck'
    return 'van' if height_m > HIGH_M else 'car'


def _lines(key: str, feature: Mapping[str, Any], dataset: str) -> list[Drawn]:
    """The lines of one thing on the map; none for what is not drawn."""
    kind, closed = str(feature['type']), False
    raw = feature.get('polyline')
    if raw is None:
        raw, closed = feature.get('polygon'), True
    if raw is None or len(raw) < 2:
        return []
    xy = np.asarray([p[:2] for p in raw], float)
    if kind.startswith('LANE'):
        kmh = feature.get('speed_limit_kmh')
        limit = float(kmh) / KMH if isinstance(kmh, int | float) and 1 < kmh < 200 else None
        return [Drawn('lane_centre', xy, key, _width(feature, xy), limit)]
    if kind == 'CROSSWALK':
        return [Drawn('crosswalk', np.concatenate([xy, xy[:1]]) if closed else xy, key)]
    if kind.startswith('ROAD_EDGE') or (dataset == 'nuscenes' and key.startswith('boundary')):
        return [Drawn('road_edge', xy, key)]
    if kind.startswith('ROAD_LINE'):
        return [Drawn('lane_line', xy, key, paint=_paint(kind))]
    return []


def _width(feature: Mapping[str, Any], xy: np.ndarray) -> float:
    """Of a lane: as given, else its area over its length, else 3.5 m."""
    given = feature.get('width')
    if given is not None and np.size(given):
        both = np.asarray(given, float).reshape(-1, 2).sum(1)
        known = both[both > 1.0]
        if len(known):
            return float(np.clip(np.median(known), 2.5, 6.0))
    area = feature.get('polygon')
    corners = np.asarray([] if area is None else [p[:2] for p in area], float)
    if len(corners) > 2 and np.isfinite(corners).all():
        length = float(np.linalg.norm(np.diff(xy, axis=0), axis=1).sum())
        surface = shapely.Polygon(corners).area
        return float(np.clip(surface / max(length, 1.0), 2.5, 6.0))
    return 3.5


def _paint(kind: str) -> Paint:
    if 'YELLOW' in kind:
        if 'DOUBLE' in kind:
            return 'yellow_double'
        return 'yellow_dashed' if 'BROKEN' in kind else 'yellow'
    return 'white_dashed' if 'BROKEN' in kind else 'white'


def _signal(
    state: Mapping[str, Any], time_s: np.ndarray, span_s: tuple[float, float]
) -> Light | None:
    """A signal as runs of one colour; None where stop point or states are not known.

    Its states are at ``time_s``; the log's steps count from ``span_s[0]``, where the ego's do.
    """
    point, shown = state.get('stop_point'), state['state'].get('object_state')
    if point is None or not isinstance(shown, list | tuple | np.ndarray):
        return None
    at: dict[int, str] = {}
    for t, word in zip(time_s.tolist(), shown, strict=False):
        if t <= span_s[1] + SOON_S:
            step = math.ceil((t - span_s[0] - SOON_S) / DT_S)
            at[max(step, 0)] = _light(str(word))  # at a step the last that was seen
    steps = [k for i, k in enumerate(at) if not i or at[k] != list(at.values())[i - 1]]
    xy = (float(point[0]), float(point[1]))
    if not all(map(math.isfinite, xy)):
        return None
    lights = tuple(at[k] for k in steps)
    return Light(str(state.get('lane', '')), xy, tuple(steps), lights) if steps else None


def _light(word: str) -> str:
    return next((light for part, light in LIGHTS.items() if part in word), 'unknown')
