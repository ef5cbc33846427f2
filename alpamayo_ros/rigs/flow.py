"""Optical flow of a camera between two pictures, as rays of its optical frame.

Corners (Shi and Tomasi) followed by pyramidal Lucas-Kanade, kept where following them back comes
to the same place; then undistorted by the rig's lens.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from alpamayo_ros.sensing.distortion import distort
from alpamayo_ros.sensing.rig import RigCamera

WIDEST_PX = 800  # larger pictures are reduced to it
CORNERS, QUALITY, APART_PX = 400, 0.01, 6
BACK_PX = 0.7  # of the way there and back
LEAST_PX = 1.0  # a corner that moves less says little about a direction
STEEPEST_RAD, TABLE = 1.5, 4096  # of the table that inverts a lens
WINDOW, LEVELS = (21, 21), 4
POINT_PX, POINTED = 7, 0.2  # around a corner; of its structure's smaller axis to its larger one
Rays = Float[np.ndarray, 'N 2']


@dataclass(frozen=True, slots=True)
class Tracks:
    """Corners that were followed: (x / z, y / z) in the optical frame, before and after.

    ``pointed``: those that are no piece of an edge, along which a corner slides unseen.
    """

    before: Rays
    after: Rays
    from_s: float
    to_s: float
    pointed: Bool[np.ndarray, 'N']


def focal_px(camera: RigCamera) -> float:
    """Focal length of the picture as it is followed."""
    return float(camera.matrix[0, 0]) * min(1.0, WIDEST_PX / camera.width)


def gray(image_rgb: UInt8[np.ndarray, 'h w 3']) -> UInt8[np.ndarray, 'H W']:
    """The picture as it is followed: grey, at most ``WIDEST_PX`` wide."""
    grey = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY)
    scale = WIDEST_PX / grey.shape[1]
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8)


def tracks(
    camera: RigCamera,
    before: UInt8[np.ndarray, 'H W'],
    after: UInt8[np.ndarray, 'H W'],
    times_s: tuple[float, float],
) -> Tracks:
    """Follow corners from one picture to the next."""
    empty = np.empty((0, 2))
    corners = cv2.goodFeaturesToTrack(before, CORNERS, QUALITY, APART_PX)
    if corners is None:
        return Tracks(empty, empty, *times_s, np.empty(0, bool))
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, corners, np.zeros_like(corners), winSize=WINDOW, maxLevel=LEVELS
    )
    back, again, _ = cv2.calcOpticalFlowPyrLK(
        after, before, there, np.zeros_like(there), winSize=WINDOW, maxLevel=LEVELS
    )
    p, q = corners.reshape(-1, 2), there.reshape(-1, 2)
    ok = (found.ravel() == 1) & (again.ravel() == 1)
    ok &= np.hypot(*(p - back.reshape(-1, 2)).T) < BACK_PX
    size = np.array(before.shape[::-1])
    ok &= ((q >= 0) & (q < size)).all(axis=1) & (np.hypot(*(p - q).T) < size[0] / 2)
    scale = camera.width / before.shape[1]
    one, two = rays(camera, p[ok], scale), rays(camera, q[ok], scale)
    return Tracks(one, two, *times_s, _pointed(before, p[ok]))


def _pointed(
    picture: UInt8[np.ndarray, 'H W'], corners: Float[np.ndarray, 'N 2']
) -> Bool[np.ndarray, 'N']:
    """Which corners have a gradient across as well as along, by the axes of the structure."""
    column, row = corners.astype(int).T
    axes = np.sort(cv2.cornerEigenValsAndVecs(picture, POINT_PX, 3)[row, column, :2], axis=1)
    return np.asarray(axes[:, 0] > POINTED * axes[:, 1])


def rays(camera: RigCamera, pixels: Float[np.ndarray, 'N 2'], scale: float = 1.0) -> Rays:
    """Undistorted (x / z, y / z) of pixels; ``scale``: pixels of the camera to one of these."""
    if not len(pixels):
        return np.empty((0, 2))
    whole = (pixels.astype(np.float64) + 0.5) * scale - 0.5
    lens, points = camera.distortion, whole.reshape(-1, 1, 2)
    values = np.array(lens.coefficients or (0.0,) * 4)
    if lens.model == 'ftheta':
        return _unbent(camera, whole)
    if lens.model == 'equidistant':
        found = cv2.fisheye.undistortPoints(points, camera.matrix, values)
    else:
        found = cv2.undistortPoints(points, camera.matrix, values)
    return np.asarray(found.reshape(-1, 2), np.float64)


def _unbent(camera: RigCamera, pixels: Float[np.ndarray, 'N 2']) -> Rays:
    """By a table of the radius, for a lens that OpenCV does not know; NaN beyond what it sees."""
    matrix = camera.matrix
    bent = (pixels - matrix[:2, 2]) / matrix[[0, 1], [0, 1]]
    radii = np.tan(np.linspace(0.0, STEEPEST_RAD, TABLE))
    there, _, ok = distort(radii, np.zeros(TABLE), camera.distortion)
    far = np.hypot(*bent.T)
    straight = np.interp(far, there[ok], radii[ok], right=np.nan)
    return np.asarray(bent * (straight / np.maximum(far, 1e-9))[:, None])


def moving(found: Tracks, camera: RigCamera) -> Tracks:
    """Those that moved enough to have a direction."""
    far = np.hypot(*(found.after - found.before).T) * focal_px(camera) > LEAST_PX  # NaN is not
    ways = (found.before[far], found.after[far])
    return Tracks(*ways, found.from_s, found.to_s, found.pointed[far])
