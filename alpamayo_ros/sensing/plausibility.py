"""Is this a picture of a road?  Frozen, black, white and noise frames, judged camera by camera.

Cheap on purpose: identity of the bytes, and statistics of the view the model would get.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.sensing.image_gate import Buffer

SHARE = 0.99  # of the pixels of a black or white view


@dataclass(frozen=True, slots=True)
class PlausibilityLimits:
    """``frozen_frames``, ``implausible_frames``: so many in a row are a fault (F06: 5, F07: 3).

    A view is black or white when 99 % of its pixels are beyond ``black``/``white`` (of 255), and
    noise when neighbours correlate below ``correlation`` (rendered and real roads: above 0.7).
    """

    frozen_frames: int = 3
    implausible_frames: int = 2
    moving_mps: float = 1.0
    black: float = 3.0
    white: float = 252.0
    flat_std: float = 0.5
    correlation: float = 0.35


class CameraPlausibility:
    """Remembers the last frame of one camera."""

    def __init__(self, camera: str, limits: PlausibilityLimits | None = None) -> None:
        """``camera`` names it in the faults."""
        self.camera = camera
        self.limits = limits or PlausibilityLimits()
        self.reset()

    def reset(self) -> None:
        """Forget the past, as after a clock jump."""
        self._previous: UInt8[np.ndarray, ' N'] | None = None
        self._repeats = 0
        self._implausible = 0

    def check_payload(self, payload: Buffer, speed_mps: float) -> Fault | None:
        """CAM_FROZEN when the same bytes came again while the car moved; call once a new frame."""
        data = np.frombuffer(payload, np.uint8)
        same = self._previous is not None and _same(self._previous, data)
        self._previous = data
        if not same:
            self._repeats = 0
        elif abs(speed_mps) > self.limits.moving_mps:
            self._repeats += 1
        if self._repeats + 1 < self.limits.frozen_frames:
            return None
        message = f'{self.camera}: {self._repeats + 1} identical frames at {speed_mps:.1f} m/s'
        return Fault(Code.CAM_FROZEN, message, {'camera': self.camera, 'speed_mps': speed_mps})

    def check_view(self, view_rgb: UInt8[np.ndarray, 'H W 3']) -> Fault | None:
        """CAM_IMPLAUSIBLE when a picture of this kind came several times in a row."""
        return self.check_kind(implausible(view_rgb, self.limits))

    def check_kind(self, kind: str) -> Fault | None:
        """``check_view`` of a view that was looked at before: its kind, '' for a plausible one."""
        self._implausible = self._implausible + 1 if kind else 0
        if self._implausible < self.limits.implausible_frames:
            return None
        message = f'{self.camera}: {self._implausible} frames are {kind}'
        return Fault(Code.CAM_IMPLAUSIBLE, message, {'camera': self.camera, 'kind': kind})


def _same(a: UInt8[np.ndarray, ' N'], b: UInt8[np.ndarray, ' M']) -> bool:
    """Whether all bytes are equal; a sparse look first, for frames mostly differ."""
    return a.size == b.size and bool((a[::97] == b[::97]).all()) and bool((a == b).all())


def implausible(view_rgb: UInt8[np.ndarray, 'H W 3'], limits: PlausibilityLimits) -> str:
    """``black``, ``white``, ``flat``, ``noise``, or '' when plausible; green channel only."""
    bytes_ = np.ascontiguousarray(view_rgb[:, :, 1])
    most = SHARE * bytes_.size
    if np.count_nonzero(bytes_ <= limits.black) >= most:
        return 'black'
    if np.count_nonzero(bytes_ >= limits.white) >= most:
        return 'white'
    green = bytes_.astype(np.float32)
    centred = green - green.mean()
    variance = float((centred * centred).mean())
    if variance <= limits.flat_std**2:
        return 'flat'
    across = float((centred[:, 1:] * centred[:, :-1]).mean())
    down = float((centred[1:] * centred[:-1]).mean())
    return 'noise' if max(across, down) < limits.correlation * variance else ''
