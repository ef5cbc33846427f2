"""A rollout's pictures: from image bytes to synchronised frame sets of the profile's views."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from alpamayo_ros.bridges.alpasim.lens import Lens, lens_of
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits, in_ns
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing.image_gate import decode_compressed
from alpamayo_ros.sensing.views import ViewMaker
from alpamayo_ros.types import FrameSet

PREFIX = 'camera_'  # AlpaSim's names of cameras begin with it
KEPT = 4  # newest frames of each camera that wait for the others
# What Pillow raises for headers that are none; SyntaxError for broken chunks of a PNG.
UNREADABLE = (
    UnidentifiedImageError, Image.DecompressionBombError, EOFError, OSError, ValueError,
    SyntaxError,
)  # fmt: skip
Picture = UInt8[np.ndarray, 'H W 3']
Makers = list[tuple[int, ViewMaker]]


class Pictures:
    """Takes images in any order; ``take`` returns a set when its last camera has come.

    The stamp of a set is that of the profile's first mandatory camera (or its first); the others
    are the nearest to it, at most ``skew_s`` away.
    """

    def __init__(
        self, profile: ModelProfile, lenses: Mapping[str, Lens | None], limits: Limits
    ) -> None:
        """``lenses``: of every camera of the profile; None where its views are whole pictures."""
        self.profile = profile
        self._lenses, self._skew_ns = lenses, in_ns(limits.skew_s)
        fixed = [camera.name for camera in profile.cameras if camera.mandatory]
        self._reference = (*fixed, profile.cameras[0].name)[0]
        self._sizes: dict[str, tuple[int, int]] = {}
        self._makers: dict[str, Makers] = {}
        self._frames: dict[str, deque[tuple[int, list[tuple[int, Picture]]]]] = {
            camera.name: deque(maxlen=KEPT) for camera in profile.cameras
        }
        self._newest_ns = 0

    def take(self, name: str, stamp_ns: int, data: bytes) -> FrameSet | Fault | None:
        """One image of the camera ``name``: the set that it completes, what is wrong, or None."""
        frames = self._frames[name]
        if frames and stamp_ns <= frames[-1][0]:
            code = Code.STAMP_DUP if stamp_ns == frames[-1][0] else Code.STAMP_LATE
            return Fault(code, f'{name}: an image at {stamp_ns} ns', {'camera': name})
        size = self._sizes.get(name) or self._claimed(name, data)
        image = size if isinstance(size, Fault) else decode_compressed(data, size)
        if isinstance(image, Fault):
            return Fault(image.code, f'{name}: {image.message}', {'camera': name, **image.values})
        assert not isinstance(size, Fault)
        self._sizes[name] = size
        if name not in self._makers:
            self._makers[name] = self._views(name, size)
        frames.append((stamp_ns, [(i, make(image)) for i, make in self._makers[name]]))
        return self._complete()

    def _claimed(self, name: str, data: bytes) -> tuple[int, int] | Fault:
        """Width and height that the first image of a camera claims, within twice the declared."""
        try:
            with Image.open(io.BytesIO(data), formats=('JPEG', 'PNG')) as found:
                size = found.size
        except UNREADABLE as error:
            return Fault(Code.IMG_HEADER, str(error)[:120], {})
        lens = self._lenses[name]
        most = (2 * lens.width, 2 * lens.height) if lens else (8192, 8192)
        if not (16 <= size[0] <= most[0] and 16 <= size[1] <= most[1]):
            text = f'{size[0]} x {size[1]} pixels; 16 to {most[0]} x {most[1]} are taken'
            return Fault(Code.IMG_TOO_LARGE, text, {})
        return size

    def _views(self, name: str, size: tuple[int, int]) -> Makers:
        lens = self._lenses[name]
        matrix = lens.at(*size) if lens else np.eye(3)
        bent, roll = (lens.distortion, lens.roll_rad) if lens else (None, 0.0)
        return [
            (i, ViewMaker(view, matrix, bent, *size, roll))
            for i, view in enumerate(self.profile.views)
            if view.camera == name
        ]

    def _complete(self) -> FrameSet | None:
        """The newest set that no camera is missing of, once."""
        for stamp_ns, _ in reversed(self._frames[self._reference]):
            if stamp_ns <= self._newest_ns:
                return None
            found = [self._nearest(camera.name, stamp_ns) for camera in self.profile.cameras]
            if all(one is not None for one in found):
                self._newest_ns = stamp_ns
                return self._composed(stamp_ns, [one for one in found if one is not None])
        return None

    def _nearest(self, name: str, stamp_ns: int) -> tuple[int, list[tuple[int, Picture]]] | None:
        frames = self._frames[name]
        best = min(frames, key=lambda frame: abs(frame[0] - stamp_ns), default=None)
        near = best is not None and abs(best[0] - stamp_ns) <= self._skew_ns
        return best if near else None

    def _composed(
        self, stamp_ns: int, found: list[tuple[int, list[tuple[int, Picture]]]]
    ) -> FrameSet:
        views = self.profile.views
        images = np.zeros((len(views), *self.profile.view_size, 3), np.uint8)
        stamps = np.zeros(len(views), np.int64)
        for true_ns, pictures in found:
            for i, picture in pictures:
                images[i], stamps[i] = picture, true_ns
        return FrameSet(stamp_ns, images, stamps, np.ones(len(views), bool))


def lenses_of(
    profile: ModelProfile, declared: Mapping[str, Any]
) -> dict[str, Lens | None] | Fault:
    """The lens of every camera of the profile that is looked through, from the declared ones."""
    found: dict[str, Lens | None] = {}
    for camera in profile.cameras:
        whole = all(v.projection == 'native' for v in profile.views if v.camera == camera.name)
        lens = None if whole else lens_of(declared[camera.name])
        if isinstance(lens, Fault):
            return lens
        found[camera.name] = lens
    return found


def camera_names(
    profile: ModelProfile, logical_ids: list[str], chosen: Mapping[str, str]
) -> dict[str, str] | Fault:
    """Logical id -> camera of the profile; CAM_IDENTITY where the rollout lacks one.

    ``chosen``: camera -> logical id, by a person; else the id without ``camera_``, or the name.
    """
    names: dict[str, str] = {}
    for camera in profile.cameras:
        wanted = chosen.get(camera.name, '')
        tried = [wanted] if wanted else [camera.name, f'{PREFIX}{camera.name}']
        logical = next((one for one in tried if one in logical_ids), None)
        if logical in names:
            text = f'{names[logical]} and {camera.name} are both {ascii(logical[:64])}'
            return Fault(Code.CAM_IDENTITY, text, {'camera': camera.name})
        if logical is None:
            there = ', '.join(ascii(one[:64]) for one in logical_ids[:32]) or 'none'
            text = f'the rollout has no camera {" or ".join(map(repr, tried))}; it has {there}. '
            text += f'alpamayo egodriver --camera {camera.name}=ITS_NAME says which it is.'
            return Fault(Code.CAM_IDENTITY, text, {'camera': camera.name})
        names[logical] = camera.name
    return names
