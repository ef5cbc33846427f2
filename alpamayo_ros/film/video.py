"""drive.mp4 from recordings: one frame for every t0, 10 frames a second, so real time.

Frames are composed and encoded one by one (H.264, yuv420p, which every browser plays); memory
does not grow with the length of the drive.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import imageio_ffmpeg
import numpy as np
from jaxtyping import UInt8

from alpamayo_ros.film.dashboard import HEIGHT, SLOW_MPS, WIDTH, Dashboard
from alpamayo_ros.film.director import Director

FRAMES_PER_S = 10
QUALITY = 23  # H.264 CRF: text stays crisp at about 1 Mbit/s


class Film:
    """An mp4 file that takes frames; use it in a ``with``."""

    def __init__(self, path: Path, frames_per_s: int = FRAMES_PER_S) -> None:
        self.path, self.frames = path, 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._pipe: Any = imageio_ffmpeg.write_frames(
            str(path),
            (WIDTH, HEIGHT),
            fps=frames_per_s,
            codec='libx264',
            pix_fmt_out='yuv420p',
            macro_block_size=1,
            quality=None,
            output_params=['-crf', str(QUALITY), '-preset', 'veryfast', '-movflags', '+faststart'],
        )
        self._pipe.send(None)

    def add(self, frame: UInt8[np.ndarray, '720 1280 3']) -> None:
        """Append one RGB frame."""
        self._pipe.send(np.ascontiguousarray(frame))
        self.frames += 1

    def close(self) -> None:
        """Finish the file."""
        self._pipe.close()

    def __enter__(self) -> Film:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def frames(
    director: Director, dashboard: Dashboard, every: int = 1
) -> Iterator[UInt8[np.ndarray, '720 1280 3']]:
    """The frames of one recording, in time."""
    for t0_ns in director.recording.times_ns[::every]:
        yield dashboard.compose(director.content(t0_ns))


def write(
    directors: list[Director], path: Path, tick: Callable[[int], None] = lambda count: None
) -> int:
    """All recordings after each other into one film; ``tick`` is told each frame's number."""
    fastest = max((float(d.recording.ego[:, 4].max(initial=0)) for d in directors), default=0.0)
    dashboard = Dashboard(max(SLOW_MPS, math.ceil(fastest)))
    with Film(path) as film:
        for director in directors:
            for frame in frames(director, dashboard):
                film.add(frame)
                tick(film.frames)
        return film.frames
