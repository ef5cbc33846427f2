"""Any clip, however long, as stored clips: cut in parts, its pictures as they were recorded."""

from __future__ import annotations

import bisect
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from alpamayo_ros.bags.sensor_writer import SensorBag
from alpamayo_ros.datasets.conversion import NAMESPACE
from alpamayo_ros.datasets.rig_file import write_rig
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.replay.topics import image_names
from alpamayo_ros.sensing.rig import OdometrySource, Rig
from alpamayo_ros.simulation.drive.drive_bag import planar
from alpamayo_ros.training.clips import storage
from alpamayo_ros.training.clips.clip import FUTURE_S, SHORTEST_S, SPACING_NS, Clip, Note, Pictures
from alpamayo_ros.training.clips.motion import moved, with_motion
from alpamayo_ros.training.clips.pictures import decoded, encoded
from alpamayo_ros.training.clips.recorded_clip import StoredClip
from alpamayo_ros.training.clips.samples import check_cameras
from alpamayo_ros.types import EgoState
from alpamayo_ros.units import NS

HOLE_NS = NS // 2  # instants further apart are of two clips
LEAST_S = SHORTEST_S - 1.5 * SPACING_NS / NS  # cameras do not meet the begin and end of a part
PAST_NS, FUTURE_NS = 2 * NS, round(FUTURE_S * NS)  # of odometry before and after the pictures


@dataclass(frozen=True, slots=True)
class Cut:
    """How a recording becomes clips; ``source``: what it is, for the clips to say."""

    seconds: float
    source: str
    licence: str = ''


def cut_clip(
    clip: Clip,
    out: Path,
    cut: Cut,
    profile: ModelProfile,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[storage.Meta | str]:
    """Write the parts of a clip below ``out``; a part's record, or why there is none.

    A part that is finished already is left as it is; ConfigError where it was made of something
    else, or where a folder of its name holds what is no clip; ClipError where the profile could
    learn nothing from it, for the rig lacks a camera that it wants.
    """
    check_cameras(clip.rig, profile)
    name = storage.checked_name(clip.name)
    notes = {note.t0_ns: note for note in clip.notes}
    for number, part in groupby(_numbered(clip.pictures(), cut.seconds), lambda one: one[0]):
        folder = out / f'{name}_{number:03d}'
        progress(folder.name)
        instants = (found for _, found in part)
        if there := storage.finished(folder, cut.source):
            for _ in instants:
                pass
            yield there
        else:
            yield _write(clip, folder, instants, notes, cut, profile)


def _numbered(instants: Iterable[Pictures], seconds: float) -> Iterator[tuple[int, Pictures]]:
    """Each instant with the number of its part."""
    number, begin_ns, before_ns = 0, 0, 0
    for found in instants:
        late = before_ns and found.stamp_ns - before_ns > HOLE_NS
        if begin_ns and (late or found.stamp_ns - begin_ns > seconds * NS):
            number, begin_ns = number + 1, found.stamp_ns
        begin_ns, before_ns = begin_ns or found.stamp_ns, found.stamp_ns
        yield number, found


def _write(
    clip: Clip,
    folder: Path,
    instants: Iterable[Pictures],
    notes: dict[int, Note],
    cut: Cut,
    profile: ModelProfile,
) -> storage.Meta | str:
    storage.begin(folder)
    rig = clip.rig.model_copy(update={'odometry': OdometrySource()})
    bag, states = folder / storage.BAG, clip.states
    with SensorBag(bag) as out:
        stamps = _copy(out, rig, instants, states)
        out.note({'origin': 'recorded', 'source': cut.source})
    span_s = (stamps[-1] - stamps[0]) / NS
    if span_s < LEAST_S:
        shutil.rmtree(folder)
        return f'{folder.name}: {span_s:.1f} s; a clip has at least {SHORTEST_S:g} s'
    write_rig(rig, bag, f'Of {cut.source}.')
    rows = [
        with_motion(notes.get(one.t0_ns, Note(t0_ns=one.t0_ns)), one)
        for one in moved(_between(states, stamps), stamps, profile)
    ]
    if not rows:
        shutil.rmtree(folder)
        text = f'{folder.name}: odometry covers none of its {len(stamps)} instants'
        return f'{text}, or its speed contradicts its positions'
    origin, grammar, licence = _about(clip, cut)
    meta = storage.Meta(
        format=storage.FORMAT,
        name=folder.name,
        origin=origin,
        made_of=cut.source,
        begin_ns=stamps[0],
        end_ns=stamps[-1],
        instants=len(stamps),
        cameras=tuple(c.name for c in rig.cameras),
        grammar=grammar,
        licence=licence,
    )
    return storage.finish(folder, meta, storage.Annotation(notes=tuple(rows)))


def _about(clip: Clip, cut: Cut) -> tuple[str, str, str]:
    """Origin, grammar of the words and licence: a stored clip hands on its own."""
    if not isinstance(clip, StoredClip):
        return 'recorded', '', cut.licence
    meta = storage.read_meta(clip.folder)
    return meta.origin, meta.grammar, cut.licence or meta.licence


def _copy(
    bag: SensorBag, rig: Rig, instants: Iterable[Pictures], states: Sequence[EgoState]
) -> list[int]:
    """Pictures with the odometry around them; the stamps of the instants.

    ValueError where the first picture of a camera cannot be that of the rig.
    """
    stamps: list[int] = []
    at, unseen = 0, {camera.name for camera in rig.cameras}
    for found in instants:
        first = {name: p for name, p in found.by_camera.items() if name in unseen}
        unseen -= decoded(Pictures(found.stamp_ns, first), rig).keys()
        if not stamps:
            at = bisect.bisect_left(states, found.stamp_ns - PAST_NS, key=_stamp)
            _calibration(bag, rig, states[at].stamp_ns if at < len(states) else found.stamp_ns)
        stamps.append(found.stamp_ns)
        end = bisect.bisect_right(states, found.stamp_ns, key=_stamp)
        _odometry(bag, states[at:end])
        at = max(at, end)
        for camera in rig.cameras:
            if (picture := found.by_camera.get(camera.name)) is not None:
                topic = f'{NAMESPACE}/{image_names(camera)[0]}'
                data = encoded(picture)
                bag.compressed_image(topic, found.stamp_ns, camera.frame_id, data)
    _odometry(bag, states[at : bisect.bisect_right(states, stamps[-1] + FUTURE_NS, key=_stamp)])
    return stamps


def _stamp(state: EgoState) -> int:
    return state.stamp_ns


def _between(states: Sequence[EgoState], stamps: Sequence[int]) -> Sequence[EgoState]:
    """The states that go with a part."""
    begin = bisect.bisect_left(states, stamps[0] - PAST_NS, key=_stamp)
    return states[begin : bisect.bisect_right(states, stamps[-1] + FUTURE_NS, key=_stamp)]


def _calibration(bag: SensorBag, rig: Rig, stamp_ns: int) -> None:
    mounts = {('base_link', c.frame_id): c.base_from_optical for c in rig.cameras}
    bag.transforms('/tf_static', stamp_ns, mounts)
    for camera in rig.cameras:
        if camera.info_topic and camera.distortion.model != 'ftheta':  # CameraInfo has no such
            bag.camera_info(f'{NAMESPACE}/{camera.info_topic}', stamp_ns, camera)


def _odometry(bag: SensorBag, states: Iterable[EgoState]) -> None:
    frames = ('odom', 'base_link')
    for s in states:
        pose = planar(s.x_m, s.y_m, s.heading_rad)
        twist = np.array([s.speed_mps, 0.0, 0.0]), np.array([0.0, 0.0, s.yaw_rate_rps])
        bag.odometry(f'{NAMESPACE}/{OdometrySource().topic}', s.stamp_ns, frames, pose, *twist)
        bag.transforms('/tf', s.stamp_ns, {frames: pose})
