"""The front image with the plan's path and the words drawn on it.  Pure, no ROS."""

from __future__ import annotations

import cv2
import numpy as np

from alpamayo_ros.sensing.rig import RigCamera

NEAR_M = 0.5  # points closer to the camera than this are not drawn
PATH = (60, 230, 90)  # RGB
INK, SHADOW = (255, 255, 255), (0, 0, 0)
LINE_PX = 18


def project(camera: RigCamera, points: np.ndarray) -> np.ndarray:
    """Pixels (N, 2) of ground points (N, 2) in base_link [m]; those ahead, without distortion."""
    ground = np.column_stack([points, np.zeros(len(points)), np.ones(len(points))])
    optical = (np.linalg.inv(camera.base_from_optical) @ ground.T)[:3]
    optical = optical[:, optical[2] > NEAR_M]
    pixels = camera.matrix @ (optical / optical[2])
    return np.asarray(pixels[:2].T)


def draw(image: np.ndarray, camera: RigCamera, path: np.ndarray, lines: list[str]) -> np.ndarray:
    """A copy of ``image`` (RGB) with ``path`` (N, 2) in base_link at its time, and text lines."""
    out = np.ascontiguousarray(image).copy()
    pixels = np.clip(project(camera, path), -1e4, 1e4).round().astype(np.int32)
    if len(pixels) > 1:
        cv2.polylines(out, [pixels.reshape(-1, 1, 2)], False, PATH, 3, cv2.LINE_AA)
    for i, line in enumerate(lines):
        at = (6, LINE_PX * (i + 1))
        for colour, width in ((SHADOW, 3), (INK, 1)):
            cv2.putText(out, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, width, cv2.LINE_AA)
    return out
