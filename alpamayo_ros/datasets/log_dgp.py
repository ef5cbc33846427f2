"""A log from a DGP scene (TRI-ML/dgp): the ego's poses and the boxes of others; no map."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from alpamayo_ros.datasets.dgp import read_scene
from alpamayo_ros.datasets.dgp_boxes import Box, kind_by_size
from alpamayo_ros.datasets.log_build import Material, Seen
from alpamayo_ros.datasets.log_format import Kind, LogError, Provenance
from alpamayo_ros.units import NS

KINDS: dict[str, Kind] = {'car': 'car', 'truck': 'truck', 'pedestrian': 'pedestrian'}


def read(folder: Path, length_m: float, width_m: float, centre_m: float) -> Material:
    """What a DGP scene folder holds; LogError where it has no boxes.

    The scene does not say how large its ego is: ``length_m`` x ``width_m``, its middle
    ``centre_m`` before the rear axle.
    """
    try:
        scene = read_scene(folder)
    except (FileNotFoundError, KeyError, ValueError) as error:
        raise LogError(f'{folder}: no DGP scene: {error}') from None
    if not scene.boxes:
        raise LogError(f'{folder}: a DGP scene without bounding_box_3d/, so without agents')
    poses = {i.stamp_ns: i.base_in_world for i in scene.images}
    poses |= {b.stamp_ns: b.base_in_world for b in scene.boxes}
    stamps = sorted(poses)
    middle = np.array([centre_m, 0.0, 0.0, 1.0])
    seen: dict[int, list[tuple[float, np.ndarray, Box]]] = {}
    for boxes in scene.boxes:
        for box in boxes.boxes:
            place = boxes.base_in_world @ box.in_base
            seen.setdefault(box.id, []).append((boxes.stamp_ns / NS, place, box))
    return Material(
        name='surround_dgp',
        provenance=Provenance(
            source='DGP scene, six cameras and a laser scanner',
            licence='that of the scene; look it up before you pass it on',
            real=('poses of the ego', 'boxes of others'),
            computed=('speeds, by differences',),
            assumed=(
                'dimensions of the ego are those of the simulated car',
                'kind of a box by its size',
                'there is no map: asphalt lies where somebody drives',
            ),
        ),
        ego=Seen(
            id='ego',
            kind='car',
            length_m=length_m,
            width_m=width_m,
            time_s=np.array(stamps) / NS,
            xy=np.stack([(poses[s] @ middle)[:2] for s in stamps]),
            heading_rad=np.array([_yaw(poses[s]) for s in stamps]),
        ),
        agents=[_agent(number, rows) for number, rows in sorted(seen.items())],
    )


def _agent(number: int, rows: list[tuple[float, np.ndarray, Box]]) -> Seen:
    length, width, _ = rows[0][2].size_m
    return Seen(
        id=str(number),
        kind=KINDS.get(kind_by_size(rows[0][2].size_m), 'other'),
        length_m=length,
        width_m=width,
        time_s=np.array([t for t, _, _ in rows]),
        xy=np.stack([place[:2, 3] for _, place, _ in rows]),
        heading_rad=np.array([_yaw(place) for _, place, _ in rows]),
    )


def _yaw(pose: np.ndarray) -> float:
    return math.atan2(pose[1, 0], pose[0, 0])
