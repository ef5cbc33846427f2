"""A recording with odometry as a clip, and a stored clip: the same with its annotation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.bags.outline import outline
from alpamayo_ros.datasets.rig_file import rig_path
from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import ModelProfile, load_profile
from alpamayo_ros.replay.instructed import Instructed
from alpamayo_ros.replay.intake import ns, reference_camera
from alpamayo_ros.replay.motion import ego_state
from alpamayo_ros.replay.topics import Source, wire
from alpamayo_ros.sensing.image_format import decode_message, foreign, gate_format, swapped
from alpamayo_ros.sensing.rig import Rig, load_rig
from alpamayo_ros.training.clips import storage
from alpamayo_ros.training.clips.clip import Note, Picture, Pictures
from alpamayo_ros.training.clips.pictures import grouped, spaced
from alpamayo_ros.types import EgoState

WORDED = ('nav', 'nav_text', 'prompt_text')


class ClipError(ValueError):
    """Something that cannot be a clip; the text says what was expected and what came."""


@dataclass
class RecordedClip:
    """An mcap, db3 or folder of rosbag2 with the rig beside it (or given).

    ``profile`` says which cameras count; ``maps``: as ``alpamayo replay --map``.
    """

    path: Path
    rig_file: Path | None = None
    profile: ModelProfile = field(default_factory=lambda: load_profile('nano'))
    maps: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the file, without its ending."""
        return self.path.stem

    @cached_property
    def rig(self) -> Rig:
        """The rig beside the recording, unless another one is named."""
        beside = rig_path(self.path)
        if self.rig_file is None and not beside.is_file():
            raise ClipError(f'{self.path}: no rig {beside} beside it; name one with --rig')
        return load_rig(self.rig_file or beside)

    @cached_property
    def _sources(self) -> dict[str, Source]:
        return wire(outline(self.path).types, self.rig, self.profile, self.maps)

    @cached_property
    def _driven(self) -> tuple[list[EgoState], Instructed]:
        """Odometry, and what the driver was told."""
        states: list[EgoState] = []
        told = Instructed()
        told.place(self.rig.odometry)
        for source, message in self._read(('odometry', 'route', *WORDED)):
            if source.role == 'odometry':
                state = ego_state(message, self.rig.odometry)
                if isinstance(state, Fault):
                    raise ClipError(f'{self.path}: {state.code.name} {state.message}')
                states.append(state)
                told.pass_time(state.stamp_ns, state)
            else:
                told.take(source.role, message, states[-1].stamp_ns if states else 0)
        if not states:
            text = f'{self.path}: no odometry on {self.rig.odometry.topic}; name it with'
            raise ClipError(f'{text} --map RECORDED:={self.rig.odometry.topic}')
        return states, told

    @property
    def states(self) -> list[EgoState]:
        """The recorded odometry."""
        return self._driven[0]

    @property
    def notes(self) -> list[Note]:
        """Instruction and prompt of every instant; nobody wrote words."""
        told = self._driven[1]
        stamps = [found.stamp_ns for found in self.pictures()]
        return [
            Note(t0_ns=t0, instruction=told.navigation(t0), prompt=told.prompt(t0))
            for t0 in stamps
        ]

    def pictures(self) -> Iterator[Pictures]:
        """The recorded pictures around those of the camera that looks ahead, at 10 Hz."""
        return spaced(self._grouped())

    def _grouped(self) -> Iterator[Pictures]:
        """All of them, as often as they were recorded."""
        reference = reference_camera(self.profile, self.rig.cameras, self._sources)
        if Source('image', reference) not in self._sources.values():
            names = ', '.join(c.topic for c in self.rig.cameras)
            raise ClipError(f'{self.path}: no pictures on {names}; name them with --map')
        return grouped(self._stream(), reference)

    def _stream(self) -> Iterator[tuple[str, int, Picture]]:
        for source, message in self._read(('image',)):
            if not hasattr(message, 'format'):
                text = f'{self.path}: raw pictures of {source.camera}; expected compressed ones'
                raise ClipError(f'{text} (sensor_msgs/CompressedImage)')
            yield source.camera, ns(message.header.stamp), self._picture(source.camera, message)

    def _picture(self, camera: str, message: Any) -> Picture:
        """As recorded; pixels where the colours lie in another order than a decoder assumes."""
        seen = self.rig.camera(camera)
        if (fault := foreign(seen, message)) is not None:
            text = f'{self.path}: {fault.code.name} {fault.message}'
            raise ClipError(f'{text}; compare frame_id and topic with the rig')
        if not swapped(message.format) and gate_format(message.format) is None:
            return bytes(message.data)
        image = decode_message(message, (seen.width, seen.height))
        if isinstance(image, Fault):
            raise ClipError(f'{self.path}: {camera}: {image.code.name} {image.message}')
        return image

    def _read(self, roles: tuple[str, ...]) -> Iterator[tuple[Source, Any]]:
        """Messages of some roles in the order of time; DamagedClipError at the first damage."""
        topics = {t for t, source in self._sources.items() if source.role in roles}
        reader = BagReader(self.path, topics)
        for item in reader:
            yield self._sources[item.topic], item.message
        if reader.fault is not None:
            text = f'{reader.fault.code.name} {reader.fault.message}'
            saved = 'alpamayo data recover saves what can be read'
            raise storage.DamagedClipError(f'{text}; {saved}')


class StoredClip(RecordedClip):
    """A folder that ``alpamayo data clips`` wrote."""

    def __init__(self, folder: Path, profile: ModelProfile | None = None) -> None:
        super().__init__(folder / storage.BAG, None, profile or load_profile('nano'))
        self.folder = folder

    @property
    def name(self) -> str:
        """Of the folder."""
        return self.folder.name

    @cached_property
    def annotation(self) -> storage.Annotation:
        """The notes and the verdict, checked against their hash."""
        return storage.read_annotation(self.folder)

    @property
    def notes(self) -> list[Note]:
        """As annotated."""
        return list(self.annotation.notes)

    @cached_property
    def _sources(self) -> dict[str, Source]:
        """Every camera of the rig counts: those that were cut are there."""
        return wire(outline(self.path).types, self.rig, None, self.maps)

    def pictures(self) -> Iterator[Pictures]:
        """Every instant that was stored: they were thinned when the clip was cut."""
        return self._grouped()


@dataclass
class RecordedClips:
    """One recording as a source of one clip."""

    path: Path
    rig_file: Path | None = None
    maps: Mapping[str, str] = field(default_factory=dict)
    profile: ModelProfile = field(default_factory=lambda: load_profile('nano'))

    def clips(self) -> Iterator[RecordedClip]:
        """The recording, whole; ``cutting`` makes parts of it."""
        yield RecordedClip(self.path, self.rig_file, self.profile, self.maps)


@dataclass
class StoredClips:
    """All finished clips in or below a folder.

    ``verdicts``: those that are taken; '' where nobody has judged.  ``whole``: hash every file
    before it is read.  ``passed_over``: how many clips there were of each other verdict.
    """

    root: Path
    verdicts: Collection[str] = ('', 'keep')
    whole: bool = True
    profile: ModelProfile = field(default_factory=lambda: load_profile('nano'))
    passed_over: Counter[str] = field(default_factory=Counter)

    def clips(self) -> Iterator[StoredClip]:
        """One after the other; DamagedClipError at one that is not what was written."""
        found = False
        self.passed_over.clear()
        for folder in storage.find([self.root]):
            found = True
            if self.whole and (wrong := storage.damage(folder)):
                raise storage.DamagedClipError(wrong)
            clip = StoredClip(folder, self.profile)
            if clip.annotation.verdict in self.verdicts:
                yield clip
            else:
                self.passed_over[clip.annotation.verdict] += 1
        if not found:
            raise ClipError(f'no clip in {self.root}: alpamayo data clips makes some')
