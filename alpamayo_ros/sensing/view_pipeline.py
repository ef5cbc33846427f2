"""From matched images to the profile's views: header gate, decoding, rectification, plausibility.

``submit`` hands the images of a set to threads (OpenCV frees the interpreter while it decodes),
``finish`` waits for them and judges, in the order of time; between the two the caller may do
something else.  The live node and offline replay use this very class.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import UInt8
from pydantic import ValidationError

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing.image_format import Bridge, decode_message, foreign, gate_format, is_jpeg
from alpamayo_ros.sensing.image_gate import CHANNELS, decode_raw, gate_compressed
from alpamayo_ros.sensing.plausibility import PlausibilityLimits, implausible
from alpamayo_ros.sensing.reduction import reduction, scaled, shrink
from alpamayo_ros.sensing.rig import RigCamera, lens_of
from alpamayo_ros.sensing.suspicion import Suspicion
from alpamayo_ros.sensing.synchronisation.synced_set import SyncedSet
from alpamayo_ros.sensing.views import ViewMaker
from alpamayo_ros.types import FrameSet

PLAUSIBLE = PlausibilityLimits()
SETTLED_SETS = 10  # 1 s, as long as INIT lasts at least: none of them was driven by


@dataclass(frozen=True, slots=True)
class Views:
    """What one camera gives to a set: its views by index, or why there are none; time spent.

    ``kind``: '' where the first view shows a picture, else black, white, flat or noise; ``jpeg``:
    the picture as it was decoded, where it came as JPEG.
    """

    images: tuple[tuple[int, UInt8[np.ndarray, 'H W 3']], ...] = ()
    fault: Fault | None = None
    kind: str = ''
    spent_s: float = 0.0
    jpeg: UInt8[np.ndarray, 'h w 3'] | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """A set whose images are being decoded."""

    matched: SyncedSet
    messages: Mapping[str, Any]
    futures: Mapping[str, Future[Views]]


@dataclass(frozen=True, slots=True)
class _Eye:
    """One camera with the calibration in force."""

    camera: RigCamera
    factor: int
    makers: tuple[tuple[int, ViewMaker], ...]


class ViewPipeline:
    """Holds each camera's calibration and view makers; decodes in threads."""

    def __init__(
        self,
        profile: ModelProfile,
        cameras: Sequence[RigCamera],
        threads: int,
        bridge: Bridge | None = None,
    ) -> None:
        """``cameras`` in the profile's order."""
        self.profile = profile
        self.news = ''
        self.decode_s = 0.0  # time spent in threads
        self._bridge = bridge
        self._maskable = {camera.name: camera.maskable for camera in profile.cameras}
        self._learned: set[str] = set()
        self._sets = 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix='decode')
        self.suspicion = Suspicion(profile)
        self._eyes = {camera.name: self._eye(camera) for camera in cameras}

    def close(self) -> None:
        """End the threads; what they have not begun is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _eye(self, camera: RigCamera) -> _Eye:
        """View makers for a calibration; large images are decoded reduced."""
        factor = reduction(camera, self.profile)
        width, height = -(-camera.width // factor), -(-camera.height // factor)
        matrix = scaled(camera.matrix, factor)
        makers = [
            (i, ViewMaker(view, matrix, camera.distortion, width, height, camera.mount.roll_rad))
            for i, view in enumerate(self.profile.views)
            if view.camera == camera.name
        ]
        return _Eye(camera, factor, tuple(makers))

    @property
    def cameras(self) -> list[RigCamera]:
        """The cameras with the calibration in force."""
        return [eye.camera for eye in self._eyes.values()]

    @property
    def has_bridge(self) -> bool:
        """Whether encodings beyond the core's list can be converted."""
        return self._bridge is not None

    @property
    def lost_fov(self) -> str:
        """Which views are wider than their camera, and by how many degrees."""
        makers = dict(pair for eye in self._eyes.values() for pair in eye.makers)
        lost = [(m.view.name, m.lost_fov_deg) for _, m in sorted(makers.items())]
        words = ', '.join(f'{view} {deg:.0f} deg' for view, deg in lost if deg > 1.0)
        return f'lost field of view: {words or "none"}'

    def calibrate(self, name: str, message: Any) -> Fault | None:
        """Adopt the first CameraInfo of a camera while nothing can have been driven without it.

        CALIBRATION_CHANGED where a later one differs, or the first one comes too late to differ.
        """
        camera = self._eyes[name].camera
        model, coefficients = lens_of(message.distortion_model, tuple(map(float, message.d)))
        if (message.width, message.height) != (camera.width, camera.height):
            size = f'{message.width} x {message.height}, rig {camera.width} x {camera.height}'
            return Fault(Code.CALIBRATION, f'{name}: CameraInfo is for {size}.')
        try:
            matrix = np.array(message.k).reshape(3, 3)
            found = camera.with_calibration(matrix, model, coefficients)
        except ValidationError as error:
            text = f'{name}: distortion_model {message.distortion_model!r}'
            return Fault(Code.CALIBRATION, f'{text}: {error.errors()[0]["msg"]}.')
        first, self._learned = name not in self._learned, self._learned | {name}
        if found.calibrated_as(camera):
            return None
        if not first:
            return Fault(Code.CALIBRATION_CHANGED, f'{name}: another CameraInfo than before.')
        if self._sets >= SETTLED_SETS:
            late = f'{name}: its first CameraInfo came late and is not as the rig says.'
            return Fault(Code.CALIBRATION_CHANGED, f'{late} Correct the rig.')
        self._eyes[name] = self._eye(found)
        self.news = f'{name}: calibrated by CameraInfo; {self.lost_fov}'
        return None

    def check(self, name: str, message: Any) -> Fault | None:
        """What can be said without decoding: sender, encoding, size, end mark."""
        camera = self._eyes[name].camera
        if (fault := foreign(camera, message)) is not None:
            return fault
        size = (camera.width, camera.height)
        if not hasattr(message, 'encoding'):
            fault = gate_format(message.format) or gate_compressed(message.data, size)
            return fault and replace(fault, values={'camera': name, **fault.values})
        if message.encoding in CHANNELS or self._bridge is not None:
            return None
        text = f'{name}: {message.encoding!r} needs cv_bridge.'
        return Fault(Code.IMG_ENCODING, text, {'camera': name})

    def _decode(self, eye: _Eye, message: Any) -> UInt8[np.ndarray, 'h w 3'] | Fault:
        """RGB pixels of one image, reduced where the camera has many more than the views need."""
        size, factor = (eye.camera.width, eye.camera.height), eye.factor
        if not hasattr(message, 'encoding'):
            return decode_message(message, size, factor)
        if message.encoding not in CHANNELS and self._bridge is not None:
            message = self._bridge.cv2_to_imgmsg(
                self._bridge.imgmsg_to_cv2(message, 'rgb8'), 'rgb8'
            )
        image = decode_raw(
            message.encoding, message.width, message.height, message.step, message.data, size
        )
        return image if isinstance(image, Fault) or factor == 1 else shrink(image, factor)

    def decode(self, name: str, message: Any) -> UInt8[np.ndarray, 'h w 3'] | Fault:
        """RGB pixels of one image of the camera ``name``."""
        return self._decode(self._eyes[name], message)

    def _look(self, eye: _Eye, message: Any) -> Views:
        """Runs in a thread: decode one image and make its camera's views."""
        began = time.perf_counter()
        image = self._decode(eye, message)
        if isinstance(image, Fault):
            return Views(fault=image)
        images = tuple((i, maker(image)) for i, maker in eye.makers)
        kind = implausible(images[0][1], PLAUSIBLE) if images else ''
        jpeg = image if is_jpeg(message) else None
        return Views(images, None, kind, time.perf_counter() - began, jpeg)

    def submit(self, matched: SyncedSet) -> Pending:
        """Begin to decode a set under the calibration in force."""
        self._sets += 1
        pairs = zip(self._eyes, matched.payloads, strict=True)
        messages = {name: message for name, message in pairs if message is not None}
        futures = {
            name: self._pool.submit(self._look, self._eyes[name], message)
            for name, message in messages.items()
        }
        return Pending(matched, messages, futures)

    def finish(self, pending: Pending, speed_mps: float) -> tuple[FrameSet | None, list[Fault]]:
        """The frame set, or None with the faults when a camera that may not be masked is bad."""
        matched, profile = pending.matched, self.profile
        stamps = dict(zip(self._eyes, matched.stamps_ns, strict=True))
        looked = {name: future.result() for name, future in pending.futures.items()}
        self.decode_s += sum(seen.spent_s for seen in looked.values())
        for name, seen in looked.items():
            if seen.jpeg is not None:
                factor = self._eyes[name].factor
                torn = self.suspicion.seams.judge(name, stamps[name], seen.jpeg, factor)
                looked[name] = seen if torn is None else Views(fault=torn)
        faults = [seen.fault for seen in looked.values() if seen.fault is not None]
        pictures = blank(profile)
        for seen in looked.values():
            for i, picture in seen.images:
                pictures[i] = picture
        here = {name for name, seen in looked.items() if seen.fault is None}
        payloads = {n: message.data for n, message in pending.messages.items() if n in here}
        kinds = {name: seen.kind for name, seen in looked.items()}
        bad = self.suspicion.judge(payloads, stamps, kinds, speed_mps)
        missing = [n for n in self._eyes if n not in here and not self._maskable[n]]
        refusals = self.suspicion.refusals(bad)
        if missing:
            refusals.append(Fault(Code.SET_INCOMPLETE, f'without {", ".join(missing)}'))
        faults = [*faults, *bad.values(), *refusals]
        if refusals:
            return None, faults
        views = profile.views
        valid = np.array([v.camera in here and v.camera not in bad for v in views], dtype=bool)
        pictures[~valid] = 0
        true_stamps = np.array([stamps[view.camera] for view in views], dtype=np.int64)
        return FrameSet(matched.t0_ns, pictures, true_stamps, valid), faults

    def make(self, matched: SyncedSet, speed_mps: float) -> tuple[FrameSet | None, list[Fault]]:
        """``submit`` and ``finish`` at once."""
        return self.finish(self.submit(matched), speed_mps)


def blank(profile: ModelProfile) -> UInt8[np.ndarray, 'V H W 3']:
    """Black views."""
    return np.zeros((len(profile.views), *profile.view_size, 3), np.uint8)
