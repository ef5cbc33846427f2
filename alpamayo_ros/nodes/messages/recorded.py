"""The topics of a recording in the graph: which are played, as what, and what is not there."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from alpamayo_ros.bags.bag import BagMessage
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.messages.plots import OF_CYCLES, OF_PLANS
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.replay.topics import FIXED, Source, image_names, wire
from alpamayo_ros.sensing.rig import Rig
from alpamayo_ros.units import NS

IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
LATCHED = ('/tf_static', 'camera_info', '/route')
# what the nodes of the graph say themselves; a recording of them is not played over it
OURS = (
    'frame_set frame_set_info ego_history nav prompt candidates reasoning_raw stage_timing '
    'trajectory reference health evaluated path markers reasoning reasoning_markers '
    'reasoning_text chain_of_causation overlay timestep step_done shadow/trajectory '
    'shadow/reference shadow/evaluated shadow/path shadow/markers state_markers'
).split() + [f'plot/{name}' for name in (*OF_PLANS, *OF_CYCLES)]
GRAPH = ('/clock', '/diagnostics', '/rosout', '/parameter_events')
IMAGES_KEPT = 8  # of one camera in one step: at most 5 at 30 Hz


class RecordedTopics:
    """Publishers by recorded topic.  ``sources``: what each topic that we read is used as."""

    def __init__(
        self, node: Any, types: Mapping[str, str], rig: Rig, profile: ModelProfile, lockstep: bool
    ) -> None:
        """``types``: message type by recorded topic."""
        self._node, self._lockstep = node, lockstep
        names = [name for c in rig.cameras for name in (*image_names(c), c.info_topic) if name]
        names += [rig.odometry.topic, *FIXED]
        mapped = {node.resolve_topic_name(name): name for name in names}
        maps = {topic: name for topic, name in mapped.items() if topic in types}
        self.sources = wire(types, rig, profile, maps)
        self._kinds = {
            node.resolve_topic_name(c.topic): COMPRESSED
            if c.topic.endswith('/compressed')
            else IMAGE
            for c in rig.cameras
        }
        self.lacks = self._lacks(types, rig, profile)
        self.outputs: dict[str, Any] = {}
        self._stamped: dict[str, bool] = {}
        ours = {*GRAPH, *(node.resolve_topic_name(name) for name in OURS)}
        for topic, type_name in types.items():
            if topic not in ours and self._fits(topic, type_name):
                self._open(topic, type_name)

    def _fits(self, topic: str, type_name: str) -> bool:
        """Whether the node that reads a topic expects this type; it tells by the name."""
        return type_name == self._kinds.get(topic, type_name)

    def _lacks(self, types: Mapping[str, str], rig: Rig, profile: ModelProfile) -> list[str]:
        """Cameras and odometry of the profile that the recording does not hold."""
        known = {camera.name: camera.topic for camera in rig.for_profile(profile)}
        wanted = {f'camera {name}': topic for name, topic in known.items()}
        wanted['odometry'] = rig.odometry.topic
        out = []
        for what, name in wanted.items():
            topic = self._node.resolve_topic_name(name)
            if topic in self.sources and self._fits(topic, types[topic]):
                continue
            near = [topic.removesuffix('/compressed'), f'{topic}/compressed']
            other = next((t for t in near if t in types and t != topic), '')
            hint = f'; it has {other}: name that in the rig file' if other else ''
            kind = f' of a type that fits ({types[topic]} does not)' if topic in types else ''
            out.append(f'{what}: no {topic}{kind}{hint}')
        return out

    def _open(self, topic: str, type_name: str) -> None:
        package, _, name = type_name.partition('/msg/')
        try:
            kind: Any = getattr(import_module(f'{package}.msg'), name)
        except (ImportError, AttributeError):
            log = self._node.get_logger()
            log.info(f'{topic} is off: {type_name} is not installed')
            return
        self._stamped[topic] = starts_with_stamp(kind)
        image = self.sources.get(topic, Source('odometry')).role == 'image'
        if self._lockstep:
            profile = qos.lockstep(IMAGES_KEPT if image else qos.MANY)
        elif topic.endswith(LATCHED):
            profile = qos.latched()
        else:
            profile = qos.output(False, depth=50)
        self.outputs[topic] = qos.watched_publisher(self._node, kind, topic, profile)

    def stamp_ns(self, item: BagMessage) -> int:
        """The stamp with which a serialised message begins [ns]; 0 where it has none."""
        return raw_stamp_ns(item.message) if self._stamped.get(item.topic, False) else 0


def starts_with_stamp(kind: Any) -> bool:
    """Whether messages of this class begin with a stamp."""
    first = next(iter(kind.get_fields_and_field_types().values()), '')
    return first in ('std_msgs/Header', 'builtin_interfaces/Time')


def raw_stamp_ns(data: bytes) -> int:
    """The stamp with which serialised bytes begin [ns]; 0 where they are too short."""
    if len(data) < 12:
        return 0
    order = '<' if data[1] & 1 else '>'
    seconds, nanoseconds = struct.unpack_from(f'{order}iI', data, 4)
    return int(seconds * NS + nanoseconds)
