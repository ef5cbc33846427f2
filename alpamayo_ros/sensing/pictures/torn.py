"""Torn pictures: a wrong bit in a JPEG shifts brightness or colour from one line of blocks on.

The decoder notices where the number of blocks no longer fits (``jpeg.decode_jpeg``).  Where it
fits by chance the picture has a seam: along the edge of a line of blocks many columns jump the
same way, while the rows beside it do not.  A horizon looks like that too, but it was there before;
so does a lorry that cuts in, but it is there in the next picture too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from numpy.lib.stride_tricks import sliding_window_view

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.units import NS

BLOCK_PX = 8  # ITU-T T.81
MORE_COLUMNS = 200  # of which the share is taken
COLUMNS, SLACK = 64, 0.15  # looked at first; a share of so few is off by 0.06 (standard error)


@dataclass(frozen=True, slots=True)
class SeamLimits:
    """When a seam tears a picture.

    A seam is a jump of more than ``jump`` (of 255), twice that of the rows beside it.  Torn: in
    more than ``share`` of the columns, beyond what the last whole picture and the one before, at
    most ``age_s`` older, showed within ``rows`` rows.  6,050 pairs of rendered and of real
    pictures (KITTI) reach 0.40; of 109 torn ones that the decoder did not notice, a tenth stays
    under 0.37.
    """

    jump: int = 10
    share: float = 0.45
    rows: int = 6
    age_s: float = 0.35


SEAMS = SeamLimits()


class SeamWatch:
    """Remembers the last picture of each camera, and the last whole one; judges a frame once."""

    def __init__(self, limits: SeamLimits = SEAMS) -> None:
        self._limits = limits
        self.reset()

    def reset(self) -> None:
        """Forget the past, as after a clock jump."""
        self._before: dict[str, list[_Seen]] = {}

    def judge(
        self, camera: str, stamp_ns: int, rgb: UInt8[np.ndarray, 'h w 3'], reduction: int = 1
    ) -> Fault | None:
        """IMG_TORN where the picture of a JPEG has a seam; a held frame keeps its verdict."""
        before = self._before.get(camera, [])
        if before and before[-1].stamp_ns == stamp_ns:
            return before[-1].verdict
        near = [s for s in before if 0 < stamp_ns - s.stamp_ns <= self._limits.age_s * NS]
        share = torn(rgb, [seen.rgb for seen in near], reduction, self._limits)
        text = f'{camera}: {share:.0%} of the columns jump at the edge of a line of blocks'
        verdict = Fault(Code.IMG_TORN, text, {'camera': camera, 'share': share}) if share else None
        whole = [seen for seen in near if seen.verdict is None and verdict is not None]
        self._before[camera] = [*whole[-1:], _Seen(stamp_ns, rgb, verdict)]
        return verdict


@dataclass(frozen=True, slots=True)
class _Seen:
    """A picture that came, and what was said of it."""

    stamp_ns: int
    rgb: UInt8[np.ndarray, 'h w 3']
    verdict: Fault | None


def torn(
    now_rgb: UInt8[np.ndarray, 'h w 3'],
    before_rgb: Sequence[UInt8[np.ndarray, 'H W 3']],
    reduction: int = 1,
    limits: SeamLimits = SEAMS,
) -> float:
    """Share of columns (0 to 1) in the widest new seam, 0 where none is wider than the limit.

    ``reduction``: the fraction at which the JPEG was decoded; from 8 on a block is one pixel and
    nothing can be told.  0 also where no picture of this size was there ``before``.
    """
    block = BLOCK_PX // reduction
    before = [rgb for rgb in before_rgb if rgb.shape == now_rgb.shape]
    if not before or block < 2:
        return 0.0
    if not _may_be_torn(now_rgb, block, limits):
        return 0.0
    edges = np.arange(block, len(now_rgb) - 1, block)
    rows = now_rgb[:, :: max(1, now_rgb.shape[1] // MORE_COLUMNS)]
    two_above, above, first, second = (rows[edges + i].astype(np.int16) for i in (-2, -1, 0, 1))
    beside = np.maximum(np.abs(above - two_above), np.abs(second - first))
    jump, widest = first - above, 0.0
    for way in (jump, -jump):
        share = ((way > limits.jump) & (way > 2 * beside)).mean(axis=1)
        if share.max(initial=0.0) > limits.share:
            known = [_edges_of(rgb if way is jump else 255 - rgb, limits) for rgb in before]
            widest = max(widest, float((share - np.max(known, axis=0)[edges - 1]).max()))
    return widest if widest > limits.share else 0.0


def _may_be_torn(rgb: UInt8[np.ndarray, 'h w 3'], block: int, limits: SeamLimits) -> bool:
    """Whether a few columns show a jump at the edge of a block: a cheap look at all pictures."""
    columns = slice(None, None, max(1, rgb.shape[1] // COLUMNS))
    above, first = rgb[block - 1 : -2 : block, columns], rgb[block:-1:block, columns]
    jump = np.subtract(first, above, dtype=np.int16)
    least = (limits.share - SLACK) * jump.shape[1]
    ways = (jump > limits.jump, jump < -limits.jump)
    return any(np.count_nonzero(way, axis=1).max(initial=0) > least for way in ways)


def _edges_of(rgb: UInt8[np.ndarray, 'h w 3'], limits: SeamLimits) -> Float[np.ndarray, 'h-1 3']:
    """Largest share of columns that brighten downwards within ``rows`` rows of each edge."""
    step = np.diff(rgb.astype(np.int16), axis=0)
    share = (step > limits.jump).mean(axis=1)
    padded = np.pad(share, ((limits.rows, limits.rows), (0, 0)), mode='edge')
    found = sliding_window_view(padded, 2 * limits.rows + 1, axis=0).max(axis=-1)
    return np.asarray(found, np.float64)
