"""Node ``replay``: plays a bag into the graph, byte for byte, with its own /clock.

In lockstep it sends the steps of ``replay.steps``, the very ones of offline replay, and
waits for the one reply to each timestep; then both give the same plans.  What the graph says
itself and message types that are not installed are left out.  A damaged bag plays up to the
damage; the node then says BAG_BROKEN and ends with status 5.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from rclpy.clock import Clock as RclpyClock
from rclpy.clock import ClockType

from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.bags.outline import outline
from alpamayo_ros.graph_spec import PROXY
from alpamayo_ros.nodes.common.node import AlpamayoNode, ConfigurationError, run
from alpamayo_ros.nodes.lockstep.readiness import PlannerWatch
from alpamayo_ros.nodes.lockstep.step_source import listeners
from alpamayo_ros.nodes.messages.recorded import RecordedTopics
from alpamayo_ros.nodes.players import FreePlayer, StepPlayer
from alpamayo_ros.parameters.of_nodes import ODOMETRY_READERS, REPLAY
from alpamayo_ros.profile import load_profile
from alpamayo_ros.replay.intake import reference_camera
from alpamayo_ros.replay.needs import damaged
from alpamayo_ros.replay.setup import recorded
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.statuses import Status
from alpamayo_ros.units import NS, counted

TICK_S = 0.01  # /clock and the messages that are due, at 100 Hz


class ReplayNode(AlpamayoNode):
    """Waits for the driver, then plays the bag to its end and leaves."""

    def __init__(self) -> None:
        super().__init__('replay', REPLAY)
        s = self.settings
        path = Path(s.bag)
        if not s.bag or not path.exists():
            raise ConfigurationError(f'replay: there is no bag {s.bag!r}')
        self.exit_code = 0
        self._reader = BagReader(path, raw=True)
        found = outline(path)
        types = recorded(found)
        rig, profile = load_rig(s.rig), load_profile(s.profile)
        cameras = rig.for_profile(profile)
        self._topics = RecordedTopics(self, types, rig, profile, s.lockstep)
        self._reader.needed = set(self._topics.outputs)  # bytes of another shape go to nobody
        if self._topics.lacks and not s.incomplete and not damaged(found, path):
            raise ConfigurationError(lacking(path, s.profile, self._topics.lacks, types))
        wanted = {camera.topic: 1 for camera in cameras}
        wanted[rig.odometry.topic] = 1 if s.proxied else ODOMETRY_READERS
        self._awaited = {self.resolve_topic_name(topic): n for topic, n in wanted.items()}
        self.player: FreePlayer | StepPlayer
        parts = (self, self._topics, self._reader, s.duration_s)
        if s.lockstep:
            reference = reference_camera(profile, cameras, self._topics.sources)
            others = listeners(s.listeners, s.recorded)
            self.player = StepPlayer(
                *parts, reference, others, guard_s=s.hang_guard_s, tail_s=s.tail_s
            )
        else:
            self.player = FreePlayer(*parts, rate=s.rate, tail_s=s.tail_s)
        self._planner = PlannerWatch(self)
        self._began_s = time.monotonic()
        self._running = False
        wall = RclpyClock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(TICK_S, self._on_tick, clock=wall)

    def _on_tick(self) -> None:
        if not self._running:
            self._running = self._ready()
            if self._running:
                self._started_s = time.monotonic()
                self.player.start()
            return
        self.player.work()
        if self.player.problem:
            self.get_logger().error(self.player.problem)
            self._finish(Status.ENVIRONMENT)
        elif self.player.over:
            self._finish(0)

    def _ready(self) -> bool:
        """Whether cameras and odometry are read and the planner is active, or the wait over."""
        waited_s = time.monotonic() - self._began_s
        lacks = self.player.unmatched()
        for publisher in self._topics.outputs.values():
            wanted, here = self._awaited.get(publisher.topic_name, 0), readers(publisher)
            lacks += [f'{here} of {wanted} read {publisher.topic_name}'] if here < wanted else []
            if wanted and self.settings.proxied and not self._proxy_reads(publisher.topic_name):
                lacks.append(f'{PROXY} does not read {publisher.topic_name}')
        lacks += [] if self._planner.ask() else ['the planner is not active']
        if not lacks:
            return True
        if waited_s < self.settings.start_timeout_s:
            return False
        text = f'not ready after {waited_s:.0f} s: {", ".join(lacks)}'
        if self.settings.lockstep:
            self.get_logger().error(text)
            self._finish(Status.ENVIRONMENT)
            return False
        self.get_logger().warning(f'{text}; playing all the same')
        return True

    def _proxy_reads(self, topic: str) -> bool:
        """Whether the node between us and the driver is there; it reads once the driver does."""
        return any(end.node_name == PROXY for end in self.get_subscriptions_info_by_topic(topic))

    def _finish(self, code: int) -> None:
        self.exit_code = code
        if self._reader.fault is not None:
            self.get_logger().error(str(self._reader.fault))
            self.exit_code = code or Status.DAMAGED
        player = self.player
        length_s = (player.end_ns - player.begin_ns) / NS
        text = f'played {counted(player.played, "message")} over {length_s:.2f} s'
        if self.settings.lockstep and self._running:
            wall_s = time.monotonic() - self._started_s - self.settings.tail_s
            text += f', {counted(player.timesteps, "timestep")} answered in {wall_s:.1f} s'
        self.get_logger().info(text)
        self.context.shutdown()


def readers(publisher: Any) -> int:
    """How many subscriptions a publisher is matched with."""
    return int(publisher.get_subscription_count())


def lacking(path: Path, profile: str, lacks: list[str], types: dict[str, str]) -> str:
    """Why a bag is refused, what it holds, and what to do."""
    there = '\n  '.join(f'{topic} ({types[topic]})' for topic in sorted(types)) or 'nothing'
    lines = '\n  '.join(lacks)
    return (
        f'replay: {path.name} lacks what {profile} needs:\n  {lines}\nIt holds:\n  {there}\n'
        'Name the rig with --rig, map topics with --topics FILE, or play what there is with '
        '--incomplete.'
    )


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros replay``."""
    return run(ReplayNode)


if __name__ == '__main__':
    sys.exit(main())
