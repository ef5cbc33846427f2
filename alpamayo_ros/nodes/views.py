"""From matched images to the profile's views: header gate, decoding, rectification."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import Any

import numpy as np
from pydantic import ValidationError

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.msg import FrameSet
from alpamayo_ros.nodes.suspicion import Suspicion
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing.image_gate import (
    CHANNELS,
    decode_compressed,
    decode_raw,
    gate_compressed,
)
from alpamayo_ros.sensing.rig import RigCamera
from alpamayo_ros.sensing.sync import SyncedSet
from alpamayo_ros.sensing.views import ViewMaker, make_views
from alpamayo_ros.types import FrameSet as FrameSetRecord

REDUCTIONS = (8, 4, 2)
MARGIN = 1.5  # below it the decoder's own reduction would show in the views
SAME_PX = 1e-6  # intrinsics that differ less than this are the same calibration


class ViewPipeline:
    """Holds each camera's calibration and view makers; decodes in threads."""

    def __init__(self, profile: ModelProfile, cameras: list[RigCamera], threads: int) -> None:
        """``cameras`` in the profile's order."""
        self.profile = profile
        self.news = ''
        self._cameras = {camera.name: camera for camera in cameras}
        self._maskable = {camera.name: camera.maskable for camera in profile.cameras}
        self._learned: set[str] = set()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix='decode')
        self._bridge = _cv_bridge()
        self.suspicion = Suspicion(profile)
        self._makers: list[ViewMaker] = []
        self._reduction: dict[str, int] = {}
        self._build()

    def _build(self) -> None:
        """View makers for the calibrations in force; large images are decoded reduced."""
        self._reduction = {c: reduction(cam, self.profile) for c, cam in self._cameras.items()}
        self._makers = []
        for view in self.profile.views:
            camera, factor = self._cameras[view.camera], self._reduction[view.camera]
            width, height = -(-camera.width // factor), -(-camera.height // factor)
            matrix = scaled(camera.matrix, factor)
            self._makers.append(ViewMaker(view, matrix, camera.distortion, width, height))

    @property
    def has_bridge(self) -> bool:
        """Whether encodings beyond the core's list can be converted."""
        return self._bridge is not None

    @property
    def lost_fov(self) -> str:
        """Which views are wider than their camera, and by how many degrees."""
        lost = {m.view.name: m.lost_fov_deg for m in self._makers if m.lost_fov_deg > 1.0}
        words = ', '.join(f'{view} {degrees:.0f} deg' for view, degrees in lost.items())
        return f'lost field of view: {words or "none"}'

    def calibrate(self, name: str, message: Any) -> Fault | None:
        """Adopt the first CameraInfo of a camera; CALIBRATION_CHANGED when a later one differs."""
        camera = self._cameras[name]
        coefficients = tuple(float(v) for v in message.d)
        model = message.distortion_model if any(coefficients) else 'none'
        if (message.width, message.height) != (camera.width, camera.height):
            size = f'{message.width} x {message.height}, rig {camera.width} x {camera.height}'
            return Fault(Code.CALIBRATION, f'{name}: CameraInfo is for {size}.')
        try:
            found = camera.with_calibration(
                np.array(message.k).reshape(3, 3), model, coefficients if model != 'none' else ()
            )
        except ValidationError as error:
            return Fault(Code.CALIBRATION, f'{name}: {error.errors()[0]["msg"]}.')
        first, self._learned = name not in self._learned, self._learned | {name}
        if same(found, camera):
            return None
        if not first:
            return Fault(Code.CALIBRATION_CHANGED, f'{name}: another CameraInfo than before.')
        self._cameras[name] = found
        self._build()
        self.news = f'{name}: calibrated by CameraInfo; {self.lost_fov}'
        return None

    def check(self, name: str, message: Any) -> Fault | None:
        """What can be said without decoding: sender, encoding, size, end mark."""
        camera = self._cameras[name]
        if message.header.frame_id != camera.frame_id:
            text = (
                f'{name}: expected frame_id {camera.frame_id!r}, got {message.header.frame_id!r}'
            )
            return Fault(Code.CAM_IDENTITY, text)
        size = (camera.width, camera.height)
        if not hasattr(message, 'encoding'):
            return gate_compressed(message.data, size)
        if message.encoding in CHANNELS or self._bridge is not None:
            return None
        return Fault(Code.IMG_ENCODING, f'{name}: {message.encoding!r} needs cv_bridge.')

    def decode(self, name: str, message: Any) -> np.ndarray | Fault:
        """RGB pixels of one image, reduced where the camera has many more than the views need."""
        camera, factor = self._cameras[name], self._reduction[name]
        size = (camera.width, camera.height)
        if not hasattr(message, 'encoding'):
            return decode_compressed(message.data, size, factor)
        if message.encoding not in CHANNELS:
            message = self._bridge.cv2_to_imgmsg(
                self._bridge.imgmsg_to_cv2(message, 'rgb8'), 'rgb8'
            )
        image = decode_raw(
            message.encoding, message.width, message.height, message.step, message.data, size
        )
        return image if isinstance(image, Fault) or factor == 1 else shrink(image, factor)

    def make(
        self, matched: SyncedSet, speed_mps: float
    ) -> tuple[FrameSetRecord | None, list[Fault]]:
        """The frame set, or None with the faults when a camera that may not be masked is bad."""
        names = list(self._cameras)
        present = [(n, m) for n, m in zip(names, matched.payloads, strict=True) if m is not None]
        stamps = dict(zip(names, matched.stamps_ns, strict=True))
        decoded = dict(self._pool.map(lambda item: (item[0], self.decode(*item)), present))
        faults = [image for image in decoded.values() if isinstance(image, Fault)]
        images = {n: image for n, image in decoded.items() if not isinstance(image, Fault)}
        pictures = make_views(images, self._makers)
        payloads = {n: m.data for n, m in present if n in images}
        bad = self.suspicion.judge(payloads, stamps, pictures, speed_mps)
        missing = [n for n in names if n not in images and not self._maskable[n]]
        refusals = self.suspicion.refusals(bad)
        if missing:
            refusals.append(Fault(Code.SET_INCOMPLETE, f'without {", ".join(missing)}'))
        faults = [*faults, *bad.values(), *refusals]
        if refusals:
            return None, faults
        views = self.profile.views
        valid = np.array([v.camera in images and v.camera not in bad for v in views], dtype=bool)
        pictures[~valid] = 0
        return FrameSetRecord(
            t0_ns=matched.t0_ns,
            images=pictures,
            stamps_ns=np.array([stamps[view.camera] for view in views], dtype=np.int64),
            valid=valid,
        ), faults

    def policies(self, frames: FrameSetRecord, matched: SyncedSet) -> list[int]:
        """FRESH, HELD or MASKED for each view."""
        held = dict(zip(self._cameras, matched.held, strict=True))
        kinds = [FrameSet.HELD if held[v.camera] else FrameSet.FRESH for v in self.profile.views]
        return [k if ok else FrameSet.MASKED for k, ok in zip(kinds, frames.valid, strict=True)]


def reduction(camera: RigCamera, profile: ModelProfile) -> int:
    """Largest factor that leaves every view at least ``MARGIN`` source pixels a pixel."""
    views = [view for view in profile.views if view.camera == camera.name]
    need = max(v.width / 2 / np.tan(np.radians(v.hfov_deg) / 2) for v in views)
    return next((f for f in REDUCTIONS if camera.matrix[0, 0] / f >= MARGIN * need), 1)


def scaled(matrix: np.ndarray, factor: int) -> np.ndarray:
    """Intrinsics of the reduced image; the centre of the top-left pixel is (0, 0)."""
    out = matrix / factor
    out[2, 2] = 1.0
    out[:2, 2] = (matrix[:2, 2] + 0.5) / factor - 0.5
    return out


def shrink(image: np.ndarray, factor: int) -> np.ndarray:
    """Mean over blocks; the last row and column are repeated where the size is no multiple."""
    height, width = image.shape[:2]
    pad = ((0, -height % factor), (0, -width % factor), (0, 0))
    whole = np.pad(image, pad, mode='edge')
    rows, columns = whole.shape[0] // factor, whole.shape[1] // factor
    blocks = whole.reshape(rows, factor, columns, factor, 3).mean(axis=(1, 3))
    return (blocks + 0.5).astype(np.uint8)


def same(a: RigCamera, b: RigCamera) -> bool:
    """Whether two calibrations are the same."""
    near = bool(np.abs(a.matrix - b.matrix).max() <= SAME_PX)
    return near and a.distortion == b.distortion


def _cv_bridge() -> Any:
    """cv_bridge converts more encodings; it comes with a ROS distribution only."""
    if find_spec('cv_bridge') is None:
        return None
    from cv_bridge import CvBridge

    return CvBridge()
