"""Intrinsics of a recorded camera from its CameraInfo, as a rig takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from alpamayo_ros.rigs.survey import SeenCamera
from alpamayo_ros.sensing.reduction import scaled
from alpamayo_ros.sensing.rig import Distortion, lens_of

SAME_ASPECT = 0.01  # relative


@dataclass(frozen=True, slots=True)
class Calibration:
    """``info_topic`` '': the CameraInfo must not be read again, what it says was converted.

    ``said``: where the numbers come from.
    """

    matrix: tuple[float, ...]
    distortion: Distortion
    info_topic: str
    said: str


def info_topic(camera: SeenCamera, infos: Mapping[str, Any]) -> str:
    """The CameraInfo beside the pictures, else the only one of their frame; '' where none is."""
    parent = camera.topic.removesuffix('/compressed').rpartition('/')[0]
    beside = f'{parent}/camera_info'
    if beside in infos:
        return beside
    same = [t for t, one in infos.items() if one.header.frame_id == camera.frame_id != '']
    return same[0] if len(same) == 1 else ''


def calibration(camera: SeenCamera, infos: Mapping[str, Any]) -> Calibration | str:
    """The camera's intrinsics, or why there are none."""
    topic = info_topic(camera, infos)
    if not topic:
        return 'no CameraInfo beside its pictures'
    info = infos[topic]
    rectified = any('rect' in word for word in camera.topic.split('/'))
    matrix = np.array(info.k, float).reshape(3, 3)
    if rectified:
        matrix = np.array(info.p, float).reshape(3, 4)[:, :3]
    if not (np.isfinite(matrix).all() and matrix[0, 0] > 0 < matrix[1, 1]):
        return f'{topic} is uncalibrated (fx is {matrix[0, 0]:g})'
    try:
        distortion = Distortion() if rectified else _distortion(info)
    except ValidationError as error:
        model = info.distortion_model
        return f'{topic}: distortion_model {model!r}: {error.errors()[0]["msg"]}'
    said = f'{topic}, P of a rectified picture' if rectified else topic
    factor = info.width / camera.width
    if (info.width, info.height) != (camera.width, camera.height):
        if not abs(info.height / camera.height / max(factor, 1e-9) - 1) < SAME_ASPECT:
            return (
                f'{topic} is for {info.width} x {info.height}, the pictures have '
                f'{camera.width} x {camera.height}'
            )
        matrix = scaled(matrix, factor)
        said += f', scaled from {info.width} x {info.height}'
    plain = said == topic
    values = tuple(float(v) for v in matrix.reshape(-1))
    return Calibration(values, distortion, topic if plain else '', said)


def _distortion(info: Any) -> Distortion:
    model, coefficients = lens_of(info.distortion_model, tuple(map(float, info.d)))
    return Distortion.model_validate({'model': model, 'coefficients': coefficients})
