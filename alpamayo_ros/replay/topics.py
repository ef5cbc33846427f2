"""Which recorded topic is what: by the names of the rig file, or as a person maps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing.rig import Rig, RigCamera

NAMESPACE = '/alpamayo/'
COMPRESSED = '/compressed'
Role = Literal[
    'image', 'info', 'odometry', 'imu', 'steering', 'truth', 'route', 'nav', 'nav_text',
    'prompt_text', 'reference',
]  # fmt: skip
IMAGES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
OBJECTS = ('alpamayo_ros/msg/TrackedObjectArray',)
FIXED: dict[str, tuple[Role, tuple[str, ...]]] = {  # what is not in the rig file
    'imu': ('imu', ('sensor_msgs/msg/Imu',)),
    'steering/ackermanndrivestamped': ('steering', ('ackermann_msgs/msg/AckermannDriveStamped',)),
    'steering/steeringreport': ('steering', ('autoware_vehicle_msgs/msg/SteeringReport',)),
    'ground_truth/objects': ('truth', OBJECTS),
    'route': ('route', ('nav_msgs/msg/Path',)),
    'reasoning': ('reference', ('alpamayo_ros/msg/ChainOfCausation',)),
    'nav_instruction': ('nav', ('alpamayo_ros/msg/NavInstruction',)),
    'nav_text': ('nav_text', ('std_msgs/msg/String',)),
    'prompt_text': ('prompt_text', ('std_msgs/msg/String',)),
}


@dataclass(frozen=True, slots=True)
class Source:
    """What a recorded topic is used as; ``camera`` names the camera of an image or CameraInfo."""

    role: Role
    camera: str = ''


class MappingError(ValueError):
    """``--map`` names a topic that is not there; the text lists those that are."""


def parse_maps(texts: Sequence[str]) -> dict[str, str]:
    """``recorded:=ours`` from the command line; MappingError for anything else."""
    out: dict[str, str] = {}
    for text in texts:
        recorded, sign, ours = text.partition(':=')
        if not (recorded.startswith('/') and sign and ours):
            raise MappingError(
                f'--map {text!r}: expected recorded:=ours, as in /cam0:=camera/front/image_raw'
            )
        out[recorded] = ours
    return out


def wire(
    types: Mapping[str, str], rig: Rig, profile: ModelProfile | None, maps: Mapping[str, str]
) -> dict[str, Source]:
    """Recorded topic -> its use; topics of no use, or of another message type, are absent.

    ``profile``: its cameras count, those of the rig where it is None.
    ``types``: message type of each recorded topic.  ``maps``: recorded topic -> name of ours, with
    or without the namespace.  Of a raw and a compressed topic of one camera the compressed counts.
    """
    known = _known(rig, profile)
    _check(types, maps, known)
    out: dict[str, Source] = {}
    used: dict[Source, str] = {}
    for topic in sorted(types, key=lambda t: (t not in maps, not t.endswith(COMPRESSED), t)):
        source, kinds = known.get(_plain(maps.get(topic, topic)), (None, ()))
        if source is None or types[topic] not in kinds or source in used:
            continue
        used[source] = topic
        out[topic] = source
    return out


def _plain(topic: str) -> str:
    """The name inside our namespace."""
    return topic.removeprefix(NAMESPACE).removeprefix('/')


def _known(rig: Rig, profile: ModelProfile | None) -> dict[str, tuple[Source, tuple[str, ...]]]:
    """Our names, what each is used as, and the message types it may have."""
    wanted = [camera.name for camera in (profile or rig).cameras]
    out: dict[str, tuple[Source, tuple[str, ...]]] = {}
    for camera in rig.cameras:
        if camera.name not in wanted:
            continue
        for name in image_names(camera):
            out[name] = (Source('image', camera.name), IMAGES)
        if camera.info_topic:
            info = (Source('info', camera.name), ('sensor_msgs/msg/CameraInfo',))
            out[_plain(camera.info_topic)] = info
    out[_plain(rig.odometry.topic)] = (Source('odometry'), ('nav_msgs/msg/Odometry',))
    for name, (role, kinds) in FIXED.items():
        out[name] = (Source(role), kinds)
    return out


def image_names(camera: RigCamera) -> tuple[str, str]:
    """Topics of a camera's pictures, compressed and raw."""
    raw = _plain(camera.topic).removesuffix(COMPRESSED)
    return raw + COMPRESSED, raw


def _check(
    types: Mapping[str, str],
    maps: Mapping[str, str],
    known: Mapping[str, tuple[Source, tuple[str, ...]]],
) -> None:
    """MappingError for a mapping that cannot work."""
    for recorded, ours in maps.items():
        if recorded not in types:
            there = ', '.join(sorted(types)) or 'none'
            raise MappingError(
                f'--map {recorded}:={ours}: the bag has no {recorded}; it has {there}'
            )
        if _plain(ours) not in known:
            raise MappingError(
                f'--map {recorded}:={ours}: {ours} is no input of ours; there are '
                f'{", ".join(sorted(known))}'
            )
        kinds = known[_plain(ours)][1]
        if types[recorded] not in kinds:
            raise MappingError(
                f'--map {recorded}:={ours}: expected {" or ".join(kinds)}, the bag has '
                f'{types[recorded]}'
            )
