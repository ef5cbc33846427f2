"""Topics as they are sent, subscribed to once somebody publishes them; nothing is decoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import yaml
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from alpamayo_ros.bags.bag import described
from alpamayo_ros.bags.parts import Topic
from alpamayo_ros.bags.schema import typestore
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.messages.recorded import starts_with_stamp

IMAGES_KEPT = 30  # of one camera, while the executor is busy


@dataclass(frozen=True, slots=True)
class RawTopic:
    """A topic that is read.

    ``offered``: its profiles as rosbag2 writes them; ``stamped``: its messages begin with a stamp.
    """

    topic: Topic
    offered: str
    stamped: bool


class RawTopics:
    """``take(name, data)`` gets every message of the topics that ``wanted(name)`` chooses.

    ``opened(name)`` is called before the first message of a topic.
    """

    def __init__(
        self,
        node: Any,
        wanted: Callable[[str], bool],
        take: Callable[[str, bytes], None],
        opened: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.topics: dict[str, RawTopic] = {}
        self._node, self._wanted, self._take, self._opened = node, wanted, take, opened
        self._store = typestore()
        self._unknown: set[str] = set()

    def discover(self) -> None:
        """Subscribe to wanted topics that have appeared."""
        for name, kinds in self._node.get_topic_names_and_types():
            known = name in self.topics or name in self._unknown
            if not known and self._wanted(name):
                self._open(name, kinds[0])

    def _open(self, name: str, kind: str) -> None:
        publishers = self._node.get_publishers_info_by_topic(name)
        if not publishers:
            return
        package, _, message = kind.partition('/msg/')
        try:
            loaded: Any = getattr(import_module(f'{package}.msg'), message)
            topic = described(name, kind, self._store)
        except (ImportError, AttributeError, KeyError):
            self._unknown.add(name)
            log = self._node.get_logger()
            log.warning(f'{name} is not recorded: {kind} is not known here')
            return
        offered = [publisher.qos_profile for publisher in publishers]
        depth = IMAGES_KEPT if kind.startswith('sensor_msgs/msg/') else qos.MANY
        self.topics[name] = RawTopic(topic, qos_text(offered), starts_with_stamp(loaded))
        self._opened(name)
        take = partial(self._take, name)
        self._node.create_subscription(loaded, name, take, fitting(offered, depth), raw=True)


def fitting(offered: list[QoSProfile], depth: int) -> QoSProfile:
    """The strictest profile that every publisher fits: nothing is lost that need not be."""
    reliable = all(p.reliability == ReliabilityPolicy.RELIABLE for p in offered)
    latched = all(p.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in offered)
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def qos_text(offered: list[QoSProfile]) -> str:
    """Profiles as bags carry them, in the numbers that every version of rosbag2 reads."""
    rows = []
    for p in offered:
        times = {
            name: dict(zip(('sec', 'nsec'), divmod(value.nanoseconds, 10**9), strict=True))
            for name, value in (
                ('deadline', p.deadline),
                ('lifespan', p.lifespan),
                ('liveliness_lease_duration', p.liveliness_lease_duration),
            )
        }
        policies = {
            name: int(getattr(p, name))
            for name in ('history', 'depth', 'reliability', 'durability', 'liveliness')
        }
        rows.append({**policies, **times, 'avoid_ros_namespace_conventions': False})
    return yaml.safe_dump(rows, sort_keys=False)
