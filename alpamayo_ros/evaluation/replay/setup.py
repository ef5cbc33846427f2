"""Everything a replay needs before its first message, or why it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alpamayo_ros.evaluation.bag_outline import Outline, outline
from alpamayo_ros.evaluation.replay import needs, topics
from alpamayo_ros.evaluation.replay.options import Options
from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import Camera, ModelProfile, load_profile
from alpamayo_ros.runtime.base import Runtime
from alpamayo_ros.runtime.loader import open_runtime
from alpamayo_ros.sensing.rig import Mount, Rig, RigCamera, load_rig

RATE_HZ = 10.0  # of a camera that is not there


class ReplayError(Exception):
    """The replay was refused; the text says what is missing and what to type next."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A bag and what is to be done with it.  ``cameras``: the profile's, in its order."""

    bag: Path
    options: Options
    profile: ModelProfile
    rig: Rig
    cameras: tuple[RigCamera, ...]
    outline: Outline
    sources: Mapping[str, topics.Source]
    lacks: tuple[str, ...]


def prepare(bag: Path, options: Options) -> Setup:
    """Look at the bag; ReplayError where it lacks what the profile needs, unless ``incomplete``.

    FileNotFoundError, pydantic.ValidationError or topics.MappingError name a wrong argument.
    """
    if not bag.exists():
        raise FileNotFoundError(f'no bag {bag}')
    profile, rig = load_profile(options.profile), load_rig(options.rig_for(bag))
    found = outline(bag)
    sources = topics.wire(found.types, rig, profile, options.maps)
    lacks = tuple(needs.lacks(found, sources, rig, profile))
    if lacks and not options.incomplete and not needs.damaged(found, bag):
        lines = '\n  '.join(lacks)
        there = '\n  '.join(
            f'{topic} ({found.types[topic]}, {found.counts.get(topic, 0)})'
            for topic in sorted(found.types)
        )
        raise ReplayError(
            f'{bag.name} lacks what {profile.name} needs:\n  {lines}\n'
            f'It holds:\n  {there or "nothing that can be read"}\n'
            'Map topics with --map, name the rig with --rig, or evaluate what there is with '
            '--incomplete.'
        )
    cameras = tuple(_camera(rig, camera) for camera in profile.cameras)
    return Setup(bag, options, profile, rig, cameras, found, sources, lacks)


def open_model(options: Options, profile: ModelProfile) -> Runtime | None:
    """The runtime that was asked for, verified and warm; ReplayError says why there is none."""
    if not options.runtime:
        return None
    runtime = open_runtime(options.runtime, profile, options.model or None)
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
