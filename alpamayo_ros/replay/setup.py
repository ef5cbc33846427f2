"""Everything a replay needs before its first message, or why it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alpamayo_ros.bags.outline import Outline, outline
from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import Camera, ModelProfile, load_profile
from alpamayo_ros.replay import needs, recorded_mounts, topics
from alpamayo_ros.replay.options import Options
from alpamayo_ros.runtime.base import Runtime
from alpamayo_ros.runtime.loader import open_runtime
from alpamayo_ros.sensing.mounts import check_names
from alpamayo_ros.sensing.rig import Mount, Rig, RigCamera, load_rig

RATE_HZ = 10.0  # of a camera that is not there


class ReplayError(Exception):
    """The replay was refused; the text says what is missing and what to type next."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A bag and what is to be done with it.  ``cameras``: the profile's, in its order.

    ``black``: cameras without a picture whose views are black (``--incomplete``).
    """

    bag: Path
    options: Options
    profile: ModelProfile
    rig: Rig
    cameras: tuple[RigCamera, ...]
    outline: Outline
    sources: Mapping[str, topics.Source]
    lacks: tuple[str, ...]
    black: tuple[str, ...] = ()


def prepare(bag: Path, options: Options) -> Setup:
    """Look at the bag; ReplayError where it lacks what the profile needs, unless ``incomplete``.

    FileNotFoundError, pydantic.ValidationError or topics.MappingError name a wrong argument.
    """
    if not bag.exists():
        raise FileNotFoundError(f'no bag {bag}')
    profile, rig = load_profile(options.profile), load_rig(options.rig_for(bag))
    check_names(rig, [camera.name for camera in profile.cameras])
    found = outline(bag)
    sources = topics.wire(recorded(found), rig, profile, options.maps)
    lacks = tuple(needs.lacks(found, sources, rig, profile))
    if lacks and not options.incomplete and not needs.damaged(found, bag):
        raise ReplayError(_lacking(bag, profile, found, lacks))
    here = {source.camera for source in sources.values() if source.role == 'image'}
    other = tuple(recorded_mounts.contradictions(bag, found, rig, here))
    if other and not options.incomplete:
        raise ReplayError(_mounted_otherwise(bag, rig, other))
    cameras = tuple(_camera(rig, camera) for camera in profile.cameras)
    black = absent(profile, sources) if options.incomplete else ()
    profile = masked(profile, black)
    return Setup(bag, options, profile, rig, cameras, found, sources, (*lacks, *other), black)


def _lacking(bag: Path, profile: ModelProfile, found: Outline, lacks: tuple[str, ...]) -> str:
    lines = '\n  '.join(lacks)
    there = '\n  '.join(
        f'{topic} ({found.types[topic]}, {found.counts.get(topic, 0)})'
        for topic in sorted(found.types)
    )
    return (
        f'{bag.name} lacks what {profile.name} needs:\n  {lines}\n'
        f'It holds:\n  {there or "nothing that can be read"}\n'
        'Map topics with --map, name the rig with --rig, or evaluate what there is with '
        '--incomplete.'
    )


def _mounted_otherwise(bag: Path, rig: Rig, other: tuple[str, ...]) -> str:
    lines = '\n  '.join(other)
    return (
        f'{bag.name} was recorded with other mounts than those of the rig {rig.name!r}:\n'
        f'  {lines}\nName the right rig with --rig, or evaluate all the same with --incomplete.'
    )


def recorded(found: Outline) -> dict[str, str]:
    """Types of the topics that have messages: what was advertised only is not recorded."""
    return {topic: kind for topic, kind in found.types.items() if found.counts[topic]}


def absent(profile: ModelProfile, sources: Mapping[str, topics.Source]) -> tuple[str, ...]:
    """Cameras that the recording has no picture of; none where it has no picture at all."""
    here = {source.camera for source in sources.values() if source.role == 'image'}
    missing = tuple(c.name for c in profile.cameras if c.name not in here)
    return missing if len(missing) < len(profile.cameras) else ()


def masked(profile: ModelProfile, black: tuple[str, ...]) -> ModelProfile:
    """The profile for evaluation without some of its cameras: their views are black."""
    cameras = tuple(
        c.model_copy(update={'maskable': True, 'mandatory': False}) if c.name in black else c
        for c in profile.cameras
    )
    return profile.model_copy(update={'cameras': cameras})


def open_model(options: Options) -> Runtime | None:
    """The runtime that was asked for, verified and warm; ReplayError says why there is none."""
    if not options.runtime:
        return None
    runtime = open_runtime(
        options.runtime,
        load_profile(options.profile),
        options.model or None,
        words_every_s=options.words_every_s,
        words_concurrent=options.words_concurrent,
    )
    if isinstance(runtime, Fault):
        raise ReplayError(f'{runtime}\nWithout a model: --no-model.')
    runtime.reset()
    return runtime


def _camera(rig: Rig, wanted: Camera) -> RigCamera:
    """The rig's camera, or a stand-in that never sends a picture where the rig has none."""
    for camera in rig.cameras:
        if camera.name == wanted.name:
            return camera
    return RigCamera(
        name=wanted.name,
        topic=f'absent/{wanted.name}',
        frame_id=f'absent_{wanted.name}',
        width=64,
        height=64,
        hfov_deg=wanted.hfov_deg,
        mount=Mount(x_m=0.0, y_m=0.0, z_m=0.0),
        rate_hz=RATE_HZ,
        policy='mask',
    )
