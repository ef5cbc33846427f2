"""Node ``replay``: plays a bag into the graph, byte for byte, with its own /clock.

Message types that are not installed are left out, said once by name.  A bag that is damaged plays
up to the damage; the node then says BAG_BROKEN and ends with status 5.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from rclpy.clock import Clock as RclpyClock
from rclpy.clock import ClockType
from rosgraph_msgs.msg import Clock

from alpamayo_ros.evaluation.bag import BagMessage, BagReader
from alpamayo_ros.nodes import qos
from alpamayo_ros.nodes.base import AlpamayoNode, ConfigurationError, run
from alpamayo_ros.nodes.convert import NS, stamp
from alpamayo_ros.nodes.params import Param
from alpamayo_ros.nodes.readiness import PlannerWatch
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.rig import load_rig

PARAMETERS = (
    Param('bag', str, '', 'The bag: an .mcap file, or a folder with metadata.yaml.'),
    Param('rate', float, '', 'Speed against wall time.', 0.01, 100.0),
    Param('duration_s', float, 's', 'Ends early; 0: the whole bag.', 0.0, 1.0e6),
    Param('tail_s', float, 's', 'How long the clock goes on after the last message.', 0.0, 60.0),
    Param('start_timeout_s', float, 's', 'Longest wait for somebody who listens.', 1.0, 600.0),
)
TICK_S = 0.01  # /clock and the messages that are due, at 100 Hz
BROKEN = 5
ODOMETRY_READERS = 3  # camera_sync, egomotion, trajectory
LEAD_S = 1.0  # wall time of clock alone: images that overtake it would come from the future
LATCHED = ('/tf_static', 'camera_info')


class ReplayNode(AlpamayoNode):
    """One publisher a topic; messages leave when the clock of the bag reaches them."""

    def __init__(self) -> None:
        super().__init__('replay', PARAMETERS)
        path = Path(self.settings.bag)
        if not self.settings.bag or not path.exists():
            raise ConfigurationError(f'replay: there is no bag {self.settings.bag!r}')
        if self.settings.lockstep:
            raise ConfigurationError('replay: lockstep is not available; set lockstep to false')
        rig = load_rig(self.settings.rig)
        cameras = rig.for_profile(load_profile(self.settings.profile))
        readers = {camera.topic: 1 for camera in cameras} | {rig.odometry.topic: ODOMETRY_READERS}
        self._awaited = {self.resolve_topic_name(topic): n for topic, n in readers.items()}
        self.exit_code = 0
        self._clock_out = self.create_publisher(Clock, '/clock', 10)
        self._reader = BagReader(path, raw=True)
        self._outputs = self._open_topics()
        self._messages: Iterator[BagMessage] = iter(self._reader)
        self._next = next(self._messages, None)
        self._begin_ns = self._end_ns = 0 if self._next is None else self._next.time_ns
        self._planner = PlannerWatch(self)
        self._began_s = time.monotonic()
        self._started_s: float | None = None
        wall = RclpyClock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(TICK_S, self._on_tick, clock=wall)

    # -- the clock ------------------------------------------------------------------------------
    def _on_tick(self) -> None:
        if self._started_s is None and not self._ready():
            return
        assert self._started_s is not None  # _ready sets it
        elapsed_s = time.monotonic() - self._started_s - LEAD_S
        elapsed_ns = round(elapsed_s * self.settings.rate * NS)
        now_ns = max(self._begin_ns + elapsed_ns, 0)
        self._clock_out.publish(Clock(clock=stamp(now_ns)))
        while self._next is not None and self._next.time_ns <= now_ns:
            self._play(self._next)
            self._end_ns = self._next.time_ns
            self._next = next(self._messages, None)
        limit_ns = self.settings.duration_s * NS
        over = self._next is None and now_ns > self._end_ns + self.settings.tail_s * NS
        if over or (limit_ns and elapsed_ns >= limit_ns):
            self._finish()

    def _ready(self) -> bool:
        """Whether cameras and odometry are read and the planner is active, or the wait over."""
        waited_s = time.monotonic() - self._began_s
        listening = all(
            publisher.get_subscription_count() >= self._awaited.get(publisher.topic_name, 0)
            for publisher in self._outputs.values()
        )
        active = self._planner.ask()
        if not (listening and active):
            if waited_s < self.settings.start_timeout_s:
                return False
            lack = 'the planner is not active' if listening else 'not every input has a reader'
            self.get_logger().warning(f'{lack} after {waited_s:.0f} s; playing all the same')
        self._started_s = time.monotonic()
        return True

    # -- messages -------------------------------------------------------------------------------
    def _open_topics(self) -> dict[str, Any]:
        """A publisher for each topic of the bag whose type is installed."""
        out: dict[str, Any] = {}
        for topic, type_name in self._reader.types().items():
            package, _, name = type_name.partition('/msg/')
            try:
                kind = getattr(import_module(f'{package}.msg'), name)
            except (ImportError, AttributeError):
                self.get_logger().info(f'{topic} is off: {type_name} is not installed')
                continue
            latched = topic.endswith(LATCHED)
            profile = qos.latched() if latched else qos.output(False, depth=50)
            out[topic] = qos.watched_publisher(self, kind, topic, profile)
        return out

    def _play(self, item: BagMessage) -> None:
        if item.topic in self._outputs:
            self._outputs[item.topic].publish(item.message)

    def _finish(self) -> None:
        if self._reader.fault is not None:
            self.get_logger().error(str(self._reader.fault))
            self.exit_code = BROKEN
        span_s = (self._end_ns - self._begin_ns) / NS
        self.get_logger().info(f'played {self._reader.count} messages over {span_s:.2f} s')
        self.context.shutdown()


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros replay``."""
    return run(ReplayNode)


if __name__ == '__main__':
    sys.exit(main())
