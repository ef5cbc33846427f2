"""The picture of the camera that looks ahead with the plan on it, small enough to be kept raw."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import UInt8

from alpamayo_ros.palette import PLAN
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.sensing.projection import on_ground, project
from alpamayo_ros.sensing.rig import RigCamera

WIDTH = 320  # pixels at most: such a picture is 180 kB raw
LATE_NS = 500_000_000  # an older picture is not of this plan


def overlay(
    recording: Recording, camera: RigCamera, plan: events.Plan
) -> UInt8[np.ndarray, 'h w 3'] | None:
    """The newest picture at the plan's t0, RGB, with its path; None where there is none."""
    found = recording.picture_at(camera.name, plan.stamp_ns)
    if found is None or plan.stamp_ns - found.stamp_ns > LATE_NS:
        return None
    image = recording.decoded(found, WIDTH)
    if image is None:
        return None
    out = np.ascontiguousarray(image)
    path = np.array([[0.0, 0.0], *zip(plan.x_m, plan.y_m, strict=True)])
    pixels, seen = project(camera, on_ground(path))
    scale = np.array([out.shape[1] / camera.width, out.shape[0] / camera.height])
    pixels = ((pixels + 0.5) * scale - 0.5)[seen]
    if len(pixels) > 1:
        line = np.clip(pixels, -1e4, 1e4).round().astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(out, [line], False, PLAN, 2, cv2.LINE_AA)
    return out
