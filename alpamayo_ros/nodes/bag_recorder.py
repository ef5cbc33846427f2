"""Node ``bag_recorder``: writes the inputs of a running graph into an mcap, byte for byte.

For machines without rosbag2; it reads the same ``config/record.yaml``.  Nothing is decoded.  On a
vehicle a message has the time at which it came; in simulated time the one of its stamp, and in
lockstep the time and order that the source announces.
"""

from __future__ import annotations

import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml
from rclpy.clock import Clock, ClockType
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from alpamayo_ros.bags.bag import described
from alpamayo_ros.bags.disk_room import DiskRoom
from alpamayo_ros.bags.parts import Topic
from alpamayo_ros.bags.record_plan import read_plan
from alpamayo_ros.bags.schema import typestore
from alpamayo_ros.bags.sink import BagSink
from alpamayo_ros.datasets.rig_file import write_rig
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.msg import StepDone, Timestep
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import stamp
from alpamayo_ros.nodes.common.node import AlpamayoNode, ConfigurationError, run
from alpamayo_ros.nodes.common.params import Param
from alpamayo_ros.nodes.lockstep.step_inputs import announced
from alpamayo_ros.nodes.lockstep.step_queue import StepQueue
from alpamayo_ros.nodes.messages.recorded import raw_stamp_ns, starts_with_stamp
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.rig import load_rig

PARAMETERS = (
    Param('file', str, '', 'Bag to write (.mcap); the rig goes beside it.'),
    Param('record', str, '', 'Which topics: a file like config/record.yaml; empty: that one.'),
    Param('queue_mb', int, 'MB', 'Messages that may wait for a slow disk.', 1, 16384),
    Param('discovery_s', float, 's', 'How often new topics are looked for.', 0.01, 5.0),
)
IMAGES_KEPT = 30  # of one camera, while the executor is busy


class BagRecorderNode(AlpamayoNode):
    """Subscribes to what is wanted as soon as somebody publishes it."""

    def __init__(self) -> None:
        super().__init__('bag_recorder', PARAMETERS)
        s = self.settings
        rig, profile = load_rig(s.rig), load_profile(s.profile)
        cameras = rig.for_profile(profile)
        self._simulated = self.get_parameter('use_sim_time').value
        about = {'origin': 'simulator' if self._simulated else 'recorded'}
        about['source'] = f'the live graph, rig {rig.name}, profile {profile.name}'
        try:
            self.plan = read_plan(s.record)
            self.sink = BagSink(
                Path(s.file),
                DiskRoom(Path(s.file).parent, self.limits),
                self.plan.compression,
                about,
                s.queue_mb << 20,
            )
        except (OSError, ValueError) as error:
            raise ConfigurationError(f'bag_recorder refuses to configure: {error}') from error
        write_rig(rig, self.sink.path, 'The rig of the recording beside it.')
        inputs = [c.topic for c in cameras] + [rig.odometry.topic]
        self._inputs = {self.resolve_topic_name(name) for name in inputs}
        infos = [c.info_topic for c in rig.cameras if c.info_topic]
        self._own = self._inputs | {self.resolve_topic_name(name) for name in infos}
        self._store = typestore()
        self._topics: dict[str, tuple[Topic, str, bool]] = {}
        self._unknown: set[str] = set()
        self._steps = StepQueue() if s.lockstep else None
        self._done: Any = None
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(s.discovery_s, self._discover, clock=wall)

    # ---- topics -------------------------------------------------------------------------------
    def _discover(self) -> None:
        """Subscribe to wanted topics that have appeared; tell a fault once."""
        for name, kinds in self.get_topic_names_and_types():
            wanted = name in self._own or self.plan.wants(name)
            if wanted and name not in self._topics and name not in self._unknown:
                self._open(name, kinds[0])
        if self._steps is not None and self._done is None and self._inputs <= self._topics.keys():
            self._done = qos.watched_publisher(self, StepDone, 'step_done', qos.lockstep())
            qos.watched_subscription(self, Timestep, 'timestep', self._on_step, qos.lockstep())
        slow = Fault(Code.DISK_WARN, 'It is slower than the graph; messages are lost.')
        present = (self.sink.fault, slow if self.sink.lost else self.sink.warning)
        self.faults.update({f.code.name: str(f) for f in present if f is not None})

    def _open(self, name: str, kind: str) -> None:
        publishers = self.get_publishers_info_by_topic(name)
        if not publishers:
            return
        package, _, message = kind.partition('/msg/')
        try:
            loaded: Any = getattr(import_module(f'{package}.msg'), message)
            topic = described(name, kind, self._store)
        except (ImportError, AttributeError, KeyError):
            self._unknown.add(name)
            self.get_logger().warning(f'{name} is not recorded: {kind} is not known here')
            return
        offered = [publisher.qos_profile for publisher in publishers]
        self._topics[name] = (topic, qos_text(offered), starts_with_stamp(loaded))
        if self._steps is not None:
            self._steps.read(name, loose=True)
        take = partial(self._take, name)
        depth = IMAGES_KEPT if kind.startswith('sensor_msgs/msg/') else qos.MANY
        self.create_subscription(loaded, name, take, fitting(offered, depth), raw=True)

    # ---- messages -----------------------------------------------------------------------------
    def _take(self, name: str, data: bytes) -> None:
        topic, offered, stamped = self._topics[name]
        at = raw_stamp_ns(data) if stamped else 0
        if self._steps is not None:
            self._steps.message(name, at, data)
            self._work()
            return
        now = self.get_clock().now().nanoseconds
        self.sink.take(topic, offered, max(now, at) if self._simulated else now, data)

    def _on_step(self, message: Timestep) -> None:
        assert self._steps is not None  # subscribed in lockstep only
        self._steps.announce(announced(message))
        self._work()

    def _work(self) -> None:
        taken = None if self._steps is None else self._steps.take()
        if taken is None:
            return
        step, messages = taken
        for item, data in messages:
            topic, offered, _ = self._topics[item.topic]
            self.sink.take(topic, offered, item.received_ns, data)
        done = StepDone(step=step.sequence, node=self.get_name())
        done.header.stamp = stamp(step.end_ns)
        self._done.publish(done)

    def destroy_node(self) -> None:
        """Finish the bag before the node, and say what is in it."""
        sink: BagSink | None = getattr(self, 'sink', None)
        if sink is not None:  # else: it refused to configure
            self._finish(sink)
        super().destroy_node()

    def _finish(self, sink: BagSink) -> None:
        path, lost = sink.close(), sink.lost.total()
        text = f'{sink.written} messages on {len(sink.counts)} topics'
        text += f', {lost} lost to a slow disk' if lost else ''
        text += '' if sink.fault is None else f'; {sink.fault}'
        silent = sorted(self._inputs - sink.counts.keys())
        text += f'; silent: {", ".join(silent)}' if silent else ''
        print(f'{path or sink.part}: {text}', file=sys.stderr, flush=True)


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


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros bag_recorder``."""
    return run(BagRecorderNode)


if __name__ == '__main__':
    sys.exit(main())
