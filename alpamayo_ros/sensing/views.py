"""Views: what the model sees of each camera, cut and resampled from the camera's own image.

A view is an ideal pinhole: square pixels, principal point in the middle, horizontal field of view
``view.hfov_deg``, looking along the camera's optical axis, level whatever the camera's roll.  A
view with ``projection: native`` is the whole picture as the lens made it.  The
simulator, the training data and the nodes all make views with this code, so they agree to the
byte.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from alpamayo_ros.profile import ModelProfile, View
from alpamayo_ros.sensing.distortion import distort
from alpamayo_ros.sensing.rig import Distortion, Rig

LEVEL_RAD = 1e-4  # a smaller roll moves no pixel of a view by a tenth


class ViewMaker:
    """One view of one camera.  ``lost_fov_deg``: the part of the width the camera cannot see.

    Without distortion a view is a crop around the principal point, resized with INTER_AREA; its
    borders are rounded to whole source pixels.  With distortion it is a remap through tables made
    once, after an INTER_AREA reduction by a whole factor so that nothing aliases.  Where the
    camera sees nothing the view is black.
    """

    def __init__(
        self,
        view: View,
        camera_matrix: Float[np.ndarray, '3 3'],
        distortion: Distortion | None,
        width: int,
        height: int,
        roll_rad: float = 0.0,
    ) -> None:
        """Prepare the crop or the tables for a camera of ``width`` x ``height`` pixels.

        ``roll_rad``: the mount's turn about the optical axis, which the view undoes.
        """
        self.view = view
        self.size = (width, height)
        self.focal_px = view.width / 2 / math.tan(math.radians(view.hfov_deg) / 2)
        distortion = distortion or Distortion()
        roll_rad = roll_rad if abs(roll_rad) > LEVEL_RAD else 0.0
        ideal = distortion.ideal and not roll_rad
        self._plan: _Crop | _Remap | _Whole
        self.lost_fov_deg = self.lost_vertical_fov_deg = 0.0
        if view.projection == 'native':
            self._plan = _Whole(view)
            return
        self._plan = (
            _Crop(self.focal_px, view, camera_matrix, width, height)
            if ideal
            else _Remap(self.focal_px, view, camera_matrix, distortion, width, height, roll_rad)
        )
        source_x, source_y = source_pixels(
            self.focal_px, view, camera_matrix, distortion, roll_rad
        )
        seen = (source_x >= -1) & (source_x <= width) & (source_y >= -1) & (source_y <= height)
        self.lost_fov_deg = _lost_deg(seen[view.height // 2], view.width, self.focal_px)
        self.lost_vertical_fov_deg = _lost_deg(
            seen[:, view.width // 2], view.height, self.focal_px
        )

    def __call__(self, image_rgb: UInt8[np.ndarray, 'h w 3']) -> UInt8[np.ndarray, 'H W 3']:
        """The view of ``image_rgb``; ValueError when it has not the size agreed at the start."""
        if image_rgb.shape != (self.size[1], self.size[0], 3):
            raise ValueError(
                f'expected {self.size[1]} x {self.size[0]} x 3, got {image_rgb.shape}'
            )
        return self._plan(image_rgb)


class _Whole:
    """The whole picture, both sides resized."""

    def __init__(self, view: View) -> None:
        self.size = (view.width, view.height)
        self.bicubic = view.resample == 'bicubic'

    def __call__(self, image: UInt8[np.ndarray, 'h w 3']) -> UInt8[np.ndarray, 'H W 3']:
        if self.bicubic:
            picture = Image.fromarray(image).resize(self.size, Image.Resampling.BICUBIC)
            return np.asarray(picture, np.uint8)
        return np.asarray(cv2.resize(image, self.size, interpolation=cv2.INTER_AREA), np.uint8)


class _Crop:
    """Central crop, INTER_AREA.  Borders in pixel-edge coordinates: pixel i covers i to i + 1."""

    def __init__(
        self,
        focal_px: float,
        view: View,
        matrix: Float[np.ndarray, '3 3'],
        width: int,
        height: int,
    ) -> None:
        self.shape = (view.height, view.width, 3)
        self.source_x, self.target_x = _span(
            matrix[0, 2] + 0.5, matrix[0, 0] / focal_px, view.width, width
        )
        self.source_y, self.target_y = _span(
            matrix[1, 2] + 0.5, matrix[1, 1] / focal_px, view.height, height
        )
        self.size = (self.target_x[1] - self.target_x[0], self.target_y[1] - self.target_y[0])
        self.whole = self.size == (view.width, view.height)

    def __call__(self, image: UInt8[np.ndarray, 'h w 3']) -> UInt8[np.ndarray, 'H W 3']:
        if min(self.size) <= 0:
            return np.zeros(self.shape, np.uint8)
        crop = image[self.source_y[0] : self.source_y[1], self.source_x[0] : self.source_x[1]]
        small = np.asarray(cv2.resize(crop, self.size, interpolation=cv2.INTER_AREA), np.uint8)
        if self.whole:
            return small
        out = np.zeros(self.shape, np.uint8)
        out[self.target_y[0] : self.target_y[1], self.target_x[0] : self.target_x[1]] = small
        return out


class _Remap:
    """Rectification through tables, on an image reduced by a whole factor."""

    def __init__(
        self,
        focal_px: float,
        view: View,
        matrix: Float[np.ndarray, '3 3'],
        distortion: Distortion,
        width: int,
        height: int,
        roll_rad: float,
    ) -> None:
        scale = min(matrix[0, 0], matrix[1, 1]) / focal_px
        self.factor = max(1, min(round(scale), width, height))
        x, y = source_pixels(focal_px, view, matrix, distortion, roll_rad)
        self.map_x, self.map_y = cv2.convertMaps(
            ((x + 0.5) / self.factor - 0.5).astype(np.float32),
            ((y + 0.5) / self.factor - 0.5).astype(np.float32),
            cv2.CV_16SC2,
        )
        self.crop = (width // self.factor * self.factor, height // self.factor * self.factor)

    def __call__(self, image: UInt8[np.ndarray, 'h w 3']) -> UInt8[np.ndarray, 'H W 3']:
        if self.factor > 1:
            size = (self.crop[0] // self.factor, self.crop[1] // self.factor)
            part = image[: self.crop[1], : self.crop[0]]
            image = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
        out = cv2.remap(
            image, self.map_x, self.map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
        )
        return np.asarray(out, np.uint8)


def source_pixels(
    focal_px: float,
    view: View,
    matrix: Float[np.ndarray, '3 3'],
    distortion: Distortion,
    roll_rad: float = 0.0,
) -> tuple[Float[np.ndarray, 'H W'], Float[np.ndarray, 'H W']]:
    """Camera pixel (x, y) that each pixel of the view looks at; -1e6 where the lens model ends."""
    columns = (np.arange(view.width) - (view.width - 1) / 2) / focal_px
    rows = (np.arange(view.height) - (view.height - 1) / 2) / focal_px
    ray_x, ray_y = np.meshgrid(columns, rows)
    if roll_rad:
        cos, sin = math.cos(roll_rad), math.sin(roll_rad)
        ray_x, ray_y = cos * ray_x + sin * ray_y, cos * ray_y - sin * ray_x
    x, y, ok = distort(ray_x, ray_y, distortion)
    pixel_x = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]
    pixel_y = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]
    return np.where(ok, pixel_x, -1e6), np.where(ok, pixel_y, -1e6)


def _span(
    centre: float, scale: float, wanted: int, available: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Source and target (start, stop) of one axis: ``wanted`` target pixels around ``centre``."""
    start = max(0, round(centre - scale * wanted / 2))
    stop = min(available, round(centre + scale * wanted / 2))
    if stop <= start:
        return (0, 0), (0, 0)
    target = [round((edge - centre) / scale + wanted / 2) for edge in (start, stop)]
    return (start, stop), (max(0, target[0]), min(wanted, target[1]))


def _lost_deg(seen: np.ndarray, count: int, focal_px: float) -> float:
    """Degrees of a row or column of view pixels that the camera does not cover."""
    edges = np.degrees(np.arctan((np.arange(count + 1) - count / 2) / focal_px))
    return float(np.diff(edges)[~seen].sum())


def views_from_rig(profile: ModelProfile, rig: Rig) -> list[ViewMaker]:
    """A maker a view, in the profile's order; KeyError names a camera that the rig lacks."""
    makers = []
    for view in profile.views:
        camera = rig.camera(view.camera)
        makers.append(
            ViewMaker(
                view,
                camera.matrix,
                camera.distortion,
                camera.width,
                camera.height,
                camera.mount.roll_rad,
            )
        )
    return makers


def make_views(
    images: Mapping[str, np.ndarray], makers: Sequence[ViewMaker]
) -> UInt8[np.ndarray, 'V H W 3']:
    """All views of one timestep, RGB; the view of a camera absent from ``images`` is black."""
    first = makers[0].view
    out = np.zeros((len(makers), first.height, first.width, 3), np.uint8)
    for i, maker in enumerate(makers):
        image = images.get(maker.view.camera)
        if image is not None:
            out[i] = maker(image)
    return out
