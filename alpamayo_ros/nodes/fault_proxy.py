"""Node ``fault_proxy``: what cameras and odometry say, with faults put into it.

For trying a graph on a vehicle or a recording: a camera that falls silent, stamps that lag, a
picture cut in half.  It reads the sensors and says all again under names of its own
(``graph_spec.faulty``), which the driving nodes read.  What no injector touches arrives as it was.
It reads a sensor once the driver reads the proxy, so who waits for readers waits for the driver.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any

import numpy as np
from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from sensor_msgs.msg import CompressedImage, Image

from alpamayo_ros.graph_spec import PROXY, faulty
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import buffer, ns, stamp
from alpamayo_ros.nodes.common.node import AlpamayoNode, ConfigurationError, run
from alpamayo_ros.nodes.messages.told_state import told, written
from alpamayo_ros.parameters.of_nodes import FAULT_PROXY, ODOMETRY_READERS
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.simulation.fault_rows import ODOMETRY, Announced, of_topics
from alpamayo_ros.simulation.inject import Event, Line
from alpamayo_ros.units import NS

IMAGES, STATES = 5, 50  # depths of the queues, as those of who reads


class FaultProxyNode(AlpamayoNode):
    """One subscription and one publisher a sensor; time is that of the graph."""

    def __init__(self) -> None:
        super().__init__(PROXY, FAULT_PROXY)
        s, rig = self.settings, load_rig(self.settings.rig)
        try:
            self._line, self._news = Line(of_topics(s.inject)), Announced(s.inject)
        except ValueError as error:
            raise ConfigurationError(f'{PROXY} refuses to configure: {error}') from error
        self._began_ns = 0
        self._out: dict[str, Any] = {}
        self._unread: list[tuple[str, int, Callable[[], Any]]] = []  # source, its readers, begin
        self._newest: dict[str, Any] = {}  # image by camera: what its bytes are put into
        for camera in rig.for_profile(load_profile(s.profile)):
            kind = CompressedImage if camera.topic.endswith('/compressed') else Image
            self._pass(kind, camera.name, camera.topic, IMAGES, 1)
        self._pass(Odometry, ODOMETRY, rig.odometry.topic, STATES, ODOMETRY_READERS)
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(s.poll_s, self._let_go, clock=wall)
        self.get_logger().warning(f'faults are put between sensors and driver: {s.inject}')

    def _pass(self, kind: type, source: str, topic: str, depth: int, readers: int) -> None:
        """Say a topic again, once it has so many readers."""
        heard = qos.sensor(False, depth, self.settings.reliable_inputs)
        said = qos.sensor(False, depth, reliable=True)
        self._out[source] = qos.watched_publisher(self, kind, faulty(topic), said)
        take = partial(self._on_message, source)
        begin = partial(qos.watched_subscription, self, kind, topic, take, heard)
        self._unread.append((source, readers, begin))

    def _on_message(self, source: str, message: Any) -> None:
        now_ns = self.get_clock().now().nanoseconds
        if not now_ns:  # simulated time has not begun
            self._out[source].publish(message)
            return
        self._began_ns = self._began_ns or now_ns
        if source == ODOMETRY:
            payload: Any = told(message)
        else:
            self._newest[source], payload = message, bytes(message.data)
        self._line.feed(Event(source, ns(message.header.stamp), now_ns, payload))
        self._let_go()

    def _let_go(self) -> None:
        """Say what is due, and once what begins and ends."""
        self._listen()
        now_ns = self.get_clock().now().nanoseconds
        if self._began_ns:
            for news in self._news.at((now_ns - self._began_ns) / NS):
                self.get_logger().info(news)
        for event in self._line.due(now_ns):
            self._out[event.source].publish(self._message(event))

    def _listen(self) -> None:
        """Begin to read what is now read of us."""
        waiting, self._unread = self._unread, []
        for source, readers, begin in waiting:
            if self._out[source].get_subscription_count() >= readers:
                begin()
            else:
                self._unread.append((source, readers, begin))

    def _message(self, event: Event) -> Any:
        if event.source == ODOMETRY:
            return written(event.payload, event.stamp_ns)
        message = copy(self._newest[event.source])
        message.data = buffer(np.frombuffer(event.payload, np.uint8))
        message.header = copy(message.header)
        message.header.stamp = stamp(event.stamp_ns)
        return message


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros fault_proxy``."""
    return run(FaultProxyNode)


if __name__ == '__main__':
    sys.exit(main())
