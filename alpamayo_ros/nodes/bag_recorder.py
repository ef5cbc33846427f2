"""Node ``bag_recorder``: writes the inputs of a running graph into an mcap, byte for byte.

For machines without rosbag2; it reads the same ``config/record.yaml``.  Nothing is decoded.  On a
vehicle a message has the time at which it came; in simulated time the one of its stamp, and in
lockstep the time and order that the source announces.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rclpy.clock import Clock, ClockType

from alpamayo_ros.bags.disk_room import DiskRoom
from alpamayo_ros.bags.record_plan import read_plan
from alpamayo_ros.bags.sink import BagSink
from alpamayo_ros.datasets.rig_file import write_rig
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.msg import StepDone, Timestep
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import stamp
from alpamayo_ros.nodes.common.node import AlpamayoNode, ConfigurationError, run
from alpamayo_ros.nodes.common.raw_topics import RawTopics
from alpamayo_ros.nodes.lockstep.step_inputs import announced
from alpamayo_ros.nodes.lockstep.step_queue import StepQueue
from alpamayo_ros.nodes.messages.recorded import raw_stamp_ns
from alpamayo_ros.parameters.of_nodes import BAG_RECORDER
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.units import counted


class BagRecorderNode(AlpamayoNode):
    """Subscribes to what is wanted as soon as somebody publishes it."""

    def __init__(self) -> None:
        super().__init__('bag_recorder', BAG_RECORDER)
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
        self._raw = RawTopics(self, self._wants, self._take, self._opened)
        self._steps = StepQueue() if s.lockstep else None
        self._done: Any = None
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(s.discovery_s, self._discover, clock=wall)

    # ---- topics -------------------------------------------------------------------------------
    def _discover(self) -> None:
        """Subscribe to wanted topics that have appeared; tell a fault once."""
        self._raw.discover()
        present = self._inputs <= self._raw.topics.keys()
        if self._steps is not None and self._done is None and present:
            self._done = qos.watched_publisher(self, StepDone, 'step_done', qos.lockstep())
            qos.watched_subscription(self, Timestep, 'timestep', self._on_step, qos.lockstep())
        slow = Fault(Code.DISK_WARN, 'It is slower than the graph; messages are lost.')
        found = (self.sink.fault, slow if self.sink.lost else self.sink.warning)
        self.faults.update({f.code.name: str(f) for f in found if f is not None})

    def _wants(self, name: str) -> bool:
        return name in self._own or self.plan.wants(name)

    def _opened(self, name: str) -> None:
        if self._steps is not None:
            self._steps.read(name, loose=True)

    # ---- messages -----------------------------------------------------------------------------
    def _take(self, name: str, data: bytes) -> None:
        raw = self._raw.topics[name]
        at = raw_stamp_ns(data) if raw.stamped else 0
        if self._steps is not None:
            self._steps.message(name, at, data)
            self._work()
            return
        now = self.get_clock().now().nanoseconds
        time_ns = max(now, at) if self._simulated else now
        self.sink.take(raw.topic, raw.offered, time_ns, data)

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
            raw = self._raw.topics[item.topic]
            self.sink.take(raw.topic, raw.offered, item.received_ns, data)
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
        text = f'{counted(sink.written, "message")} on {counted(len(sink.counts), "topic")}'
        text += f', {lost} lost to a slow disk' if lost else ''
        text += '' if sink.fault is None else f'; {sink.fault}'
        silent = sorted(self._inputs - sink.counts.keys())
        text += f'; silent: {", ".join(silent)}' if silent else ''
        print(f'{path or sink.part}: {text}', file=sys.stderr, flush=True)


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros bag_recorder``."""
    return run(BagRecorderNode)


if __name__ == '__main__':
    sys.exit(main())
