"""The front image with the plan's path and the words drawn on it.  Pure, no ROS."""

from __future__ import annotations

import cv2
import numpy as np

from alpamayo_ros.palette import PLAN
from alpamayo_ros.sensing.projection import on_ground, project
from alpamayo_ros.sensing.rig import RigCamera

INK, SHADOW = (255, 255, 255), (0, 0, 0)
LINE_PX = 18


def draw(image: np.ndarray, camera: RigCamera, path: np.ndarray, lines: list[str]) -> np.ndarray:
    """A copy of ``image`` (RGB) with ``path`` (N, 2) in base_link at its time, and text lines."""
    out = np.ascontiguousarray(image).copy()
    pixels, seen = project(camera, on_ground(np.asarray(path, float).reshape(-1, 2)))
    pixels = np.clip(pixels[seen], -1e4, 1e4).round().astype(np.int32)
    if len(pixels) > 1:
        cv2.polylines(out, [pixels.reshape(-1, 1, 2)], False, PLAN, 3, cv2.LINE_AA)
    for i, line in enumerate(lines):
        at = (6, LINE_PX * (i + 1))
        for colour, width in ((SHADOW, 3), (INK, 1)):
            cv2.putText(out, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, width, cv2.LINE_AA)
    return out
