"""NVIDIA's PhysicalAI-Autonomous-Vehicles as clips, from the files as they are published."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from alpamayo_ros.datasets import physical_ai
from alpamayo_ros.datasets.physical_ai import CAMERAS, Files, stamp_ns
from alpamayo_ros.sensing.rig import Rig
from alpamayo_ros.training.clips.clip import SPACING_NS, Note, Picture, Pictures, UnreadableClip
from alpamayo_ros.training.clips.pictures import NEAR_NS, spaced
from alpamayo_ros.training.clips.recorded_clip import ClipError
from alpamayo_ros.training.shards.full_disk import written
from alpamayo_ros.types import EgoState

AHEAD = 'camera_front_wide_120fov'


@dataclass
class PhysicalAiClip:
    """One clip of the data set; ``said``: sentences with their times [us]."""

    files: Files
    said: Sequence[tuple[int, str]] = field(default_factory=tuple)

    @property
    def name(self) -> str:
        """The clip's id."""
        return self.files.clip

    @cached_property
    def rig(self) -> Rig:
        """The calibration of the clip."""
        return physical_ai.read_rig(self.files)

    @cached_property
    def states(self) -> list[EgoState]:
        """Its egomotion."""
        return physical_ai.read_states(self.files)

    @cached_property
    def _times(self) -> dict[str, Float[np.ndarray, ' n']]:
        """Stamps of the pictures of every camera that is there and calibrated [us]."""
        names = {camera.name for camera in self.rig.cameras}
        every = {k: physical_ai.camera_times(self.files, k) for k in CAMERAS}
        found = {k: t for k, t in every.items() if t is not None and CAMERAS[k] in names}
        if AHEAD not in found:
            raise ClipError(f'{self.name}: no pictures of {AHEAD} below {self.files.root}')
        return found

    @cached_property
    def _instants(self) -> list[int]:
        """Stamps of 10 Hz among those of the camera that looks ahead."""
        times = sorted(stamp_ns(t) for t in self._times[AHEAD])
        return [found.stamp_ns for found in spaced(Pictures(t, {}) for t in times)]

    @property
    def notes(self) -> list[Note]:
        """The sentence that belongs to an instant, if any does; no instruction is known."""
        words = {}
        for time_us, text in self.said:
            nearest = min(self._instants, key=lambda t: abs(t - stamp_ns(time_us)))
            if abs(nearest - stamp_ns(time_us)) <= SPACING_NS:
                words[nearest] = text[:2000]
        return [Note(t0_ns=t, words=words.get(t, '')) for t in self._instants]

    def pictures(self) -> Iterator[Pictures]:
        """Read from the films, each from its beginning to its end."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='alpamayo-')))
            films = {k: _Film(self.files, k, len(t), folder) for k, t in self._times.items()}
            for film in films.values():
                stack.callback(film.close)
            for t0_ns in self._instants:
                found: dict[str, Picture] = {}
                for key, times in self._times.items():
                    stamps = physical_ai.EPOCH_NS + times * 1000
                    index = int(np.abs(stamps - t0_ns).argmin())
                    if abs(float(stamps[index]) - t0_ns) <= NEAR_NS:
                        found[CAMERAS[key]] = films[key].at(index)
                yield Pictures(t0_ns, found)


class _Film:
    """The pictures of one camera, asked for in their order."""

    def __init__(self, files: Files, feature: str, count: int, folder: Path) -> None:
        """``count``: of its stamps; ClipError where the film says that it has another number."""
        self._where, self._at = f'the film {feature} of {files.clip}', -1
        data = files.bytes_of('camera', feature, '.mp4')
        if data is None:
            raise ClipError(f'{files.clip}: stamps of {feature} are there, its film is not')
        path = folder / f'{feature}.mp4'
        with written(path):
            path.write_bytes(data)
        self._film = cv2.VideoCapture(str(path))
        held = round(self._film.get(cv2.CAP_PROP_FRAME_COUNT))
        if held > 0 and held != count:
            text = f'{self._where} has {held} pictures, and there are {count} stamps'
            raise ClipError(f'{text}: nobody knows which belongs to which')
        self._picture = np.zeros((0, 0, 3), np.uint8)

    def at(self, index: int) -> UInt8[np.ndarray, 'h w 3']:
        """RGB; ClipError where the film is shorter than its stamps say."""
        if index > self._at:
            skipped = all(self._film.grab() for _ in range(index - self._at - 1))
            ok, bgr = self._film.read() if skipped else (False, None)
            if not ok or bgr is None:
                raise ClipError(f'{self._where} has no picture {index}, or cannot be decoded')
            self._at, self._picture = index, np.asarray(bgr[..., ::-1], np.uint8)
        return self._picture

    def close(self) -> None:
        """Let go of the file."""
        self._film.release()


def _has_film(files: Files) -> bool:
    """Whether there is something to read; a damaged chunk says so when its clip is read."""
    try:
        return files.has('camera', AHEAD, '.mp4')
    except ValueError:
        return True


@dataclass
class PhysicalAiClips:
    """Every clip of the index whose camera that looks ahead is there."""

    root: Path

    def clips(self) -> Iterator[PhysicalAiClip | UnreadableClip]:
        """One after the other; clips of chunks that were not downloaded are passed over."""
        said = physical_ai.reasoning(self.root)
        found = 0
        for clip, chunk in physical_ai.clip_index(self.root).items():
            files = Files(self.root, clip, chunk)
            packed = files.packed('camera', AHEAD)
            if _has_film(files):
                found += 1
                yield PhysicalAiClip(files, tuple(said.get(clip, ())))
            elif packed.is_file():
                found += 1
                yield UnreadableClip(clip, ClipError(f'{clip}: {packed} has no film of it'))
        if not found:
            text = f'{self.root}: no clip of the index has a film of {AHEAD}'
            raise ClipError(f'{text} (camera/{AHEAD}/{AHEAD}.chunk_NNNN.zip)')
