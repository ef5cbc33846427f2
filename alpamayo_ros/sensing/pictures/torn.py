"""Torn pictures: a wrong bit in a JPEG shifts brightness or colour from one line of blocks on.

The decoder notices where the number of blocks no longer fits (``jpeg.decode_jpeg``).  Where it
fits by chance the picture has a seam: along the edge of a line of blocks many columns jump the
same way, while the rows beside it do not.  A horizon looks like that too, but it was there before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from numpy.lib.stride_tricks import sliding_window_view

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.units import NS

BLOCK_PX = 8  # ITU-T T.81
COLUMNS = 4  # every fourth column is looked at


@dataclass(frozen=True, slots=True)
class SeamLimits:
    """When a seam tears a picture.

    A seam is a jump of more than ``jump`` (of 255), twice that of the rows beside it.  Torn: in
    more than ``share`` of the columns, beyond what the picture before, at most ``age_s`` older,
    showed within ``rows`` rows.  6,050 pairs of rendered and of real pictures (KITTI) reach 0.40;
    of 109 torn ones that the decoder did not notice, a tenth stays under 0.37.
    """

    jump: int = 10
    share: float = 0.45
    rows: int = 6
    age_s: float = 0.35


SEAMS = SeamLimits()


class SeamWatch:
    """Remembers the last whole picture of each camera, and judges each new frame once."""

    def __init__(self, limits: SeamLimits = SEAMS) -> None:
        self._limits = limits
        self.reset()

    def reset(self) -> None:
        """Forget the past, as after a clock jump."""
        self._whole: dict[str, tuple[int, UInt8[np.ndarray, 'h w 3']]] = {}
        self._verdicts: dict[str, tuple[int, Fault | None]] = {}

    def judge(
        self, camera: str, stamp_ns: int, rgb: UInt8[np.ndarray, 'h w 3'], reduction: int = 1
    ) -> Fault | None:
        """IMG_TORN where the picture of a JPEG has a seam; a held frame keeps its verdict."""
        known_ns, verdict = self._verdicts.get(camera, (None, None))
        if known_ns == stamp_ns:
            return verdict
        before_ns, before = self._whole.get(camera, (stamp_ns, None))
        near = 0 <= stamp_ns - before_ns <= self._limits.age_s * NS
        share = torn(rgb, before if near else None, reduction, self._limits)
        text = f'{camera}: {share:.0%} of the columns jump at the edge of a line of blocks'
        verdict = Fault(Code.IMG_TORN, text, {'camera': camera, 'share': share}) if share else None
        self._verdicts[camera] = (stamp_ns, verdict)
        if verdict is None:
            self._whole[camera] = (stamp_ns, rgb)
        return verdict


def torn(
    now_rgb: UInt8[np.ndarray, 'h w 3'],
    before_rgb: UInt8[np.ndarray, 'H W 3'] | None,
    reduction: int = 1,
    limits: SeamLimits = SEAMS,
) -> float:
    """Share of columns (0 to 1) in the widest new seam, 0 where none is wider than the limit.

    ``reduction``: the fraction at which the JPEG was decoded; from 8 on a block is one pixel and
    nothing can be told.  0 also where ``before_rgb`` is missing or has another size.
    """
    block = BLOCK_PX // reduction
    if before_rgb is None or before_rgb.shape != now_rgb.shape or block < 2:
        return 0.0
    edges = np.arange(block, len(now_rgb) - 1, block)
    rows = now_rgb[:, ::COLUMNS]
    before, above, first, second = (rows[edges + i].astype(np.int16) for i in (-2, -1, 0, 1))
    beside = np.maximum(np.abs(above - before), np.abs(second - first))
    jump, widest = first - above, 0.0
    for way in (jump, -jump):
        share = ((way > limits.jump) & (way > 2 * beside)).mean(axis=1)
        if share.max(initial=0.0) > limits.share:
            known = _edges_of(before_rgb if way is jump else 255 - before_rgb, limits)
            widest = max(widest, float((share - known[edges - 1]).max()))
    return widest if widest > limits.share else 0.0


def _edges_of(rgb: UInt8[np.ndarray, 'h w 3'], limits: SeamLimits) -> Float[np.ndarray, 'h-1 3']:
    """Largest share of columns that brighten downwards within ``rows`` rows of each edge."""
    step = np.diff(rgb.astype(np.int16), axis=0)
    share = (step > limits.jump).mean(axis=1)
    padded = np.pad(share, ((limits.rows, limits.rows), (0, 0)), mode='edge')
    found = sliding_window_view(padded, 2 * limits.rows + 1, axis=0).max(axis=-1)
    return np.asarray(found, np.float64)
