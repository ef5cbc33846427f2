"""Node ``simulator``: the rendered world (``simulation.worlds``) and its controller.

The car follows ``reference`` and brakes when there is none or it has expired; where it is
``commanded``, it does what the node ``controller`` says on ``drive_command``.  In lockstep the
world stands still until the one reply to each t0 is here; free-running, it follows wall time.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from geometry_msgs.msg import Twist
from rclpy.clock import Clock, ClockType

from alpamayo_ros.msg import Health, PlannedTrajectory
from alpamayo_ros.nodes.common import qos
from alpamayo_ros.nodes.common.convert import ns
from alpamayo_ros.nodes.common.node import AlpamayoNode, ConfigurationError, run
from alpamayo_ros.nodes.control.obedience import Orders
from alpamayo_ros.nodes.lockstep.readiness import PlannerWatch
from alpamayo_ros.nodes.lockstep.step_source import StepSource, listeners
from alpamayo_ros.nodes.messages.trajectory_topics import PLACES
from alpamayo_ros.nodes.world import World
from alpamayo_ros.nodes.world_topics import WorldTopics
from alpamayo_ros.parameters.of_nodes import SIMULATOR
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.simulation import fault_rows
from alpamayo_ros.statuses import Status
from alpamayo_ros.units import NS

TICK_S, TICKS = 0.02, 5  # free-running: odometry and clock at 50 Hz, images at every fifth tick
NICE = 5  # free-running: rendering gives way to the driver; on a vehicle nobody renders


class SimulatorNode(AlpamayoNode):
    """Waits for the driver, then drives the scenario to its end and leaves."""

    def __init__(self) -> None:
        super().__init__('simulator', SIMULATOR)
        s = self.settings
        profile = load_profile(s.profile)
        cameras = load_rig(s.rig).for_profile(profile)
        self._watched = {view.camera for view in profile.views} if s.record else set[str]()
        try:
            fault_rows.parse(s.inject)
            self.world = World(s.scenario, s.seed, round(s.epoch_s * NS), s.shadow, s.manual)
            faults = f'{s.inject}; {self.world.simulation.scenario.faults}'
            injectors = fault_rows.of_topics(faults)
            self._injections = fault_rows.Announced(faults)
        except (ValueError, FileNotFoundError) as error:
            raise ConfigurationError(f'simulator refuses to configure: {error}') from error
        self.steps: StepSource[PlannedTrajectory] | None = None
        if s.lockstep:
            others = listeners(s.listeners, s.recorded, s.bagged, s.commanded)
            self.steps = StepSource(self, self._answered, others)
        else:
            os.nice(NICE)
        self.topics = WorldTopics(self, cameras, s.lockstep, s.jpeg_quality, injectors, self.steps)
        self.exit_code = 0
        latency_ns = round(s.latency_s * NS) if s.lockstep else 0
        self._orders = Orders(s.commanded, s.lockstep, latency_ns)
        self._tick = 0
        self._began_s = self._running_s = time.monotonic()
        self._planner = PlannerWatch(self)
        self._refusals = 0
        self._subscribe()
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        self._starter = self.create_timer(0.1, self._start, clock=wall)
        self._timer: Any = None
        self._wall = wall

    def _subscribe(self) -> None:
        s = self.settings
        out = qos.output(s.lockstep, depth=5)
        prefix = PLACES[s.shadow]
        subscribe, plan = qos.watched_subscription, PlannedTrajectory
        self._inputs: tuple[Any, ...] = (
            subscribe(self, plan, f'{prefix}trajectory', self._on_plan, out),
            subscribe(self, plan, f'{prefix}reference', self._on_reference, out),
            subscribe(self, Health, 'health', self._on_health, out),
        )
        if s.commanded:
            told = subscribe(self, Twist, 'drive_command', self._on_command, out)
            self._inputs = (*self._inputs, told)

    # -- starting -------------------------------------------------------------------------------
    def _start(self) -> None:
        """Begin once every reader and writer is matched and the planner is active."""
        waited_s = time.monotonic() - self._began_s
        lacks = self.topics.unmatched()
        lacks += [f'nobody writes {i.topic_name}' for i in self._inputs if not writers(i)]
        lacks += [] if self._planner.ask() else ['the planner is not active']
        if lacks and waited_s > self.settings.start_timeout_s:
            text = f'the driver is not ready after {waited_s:.0f} s: {", ".join(lacks)}'
            self.get_logger().error(text)
            self._end(Status.ENVIRONMENT)
        if lacks:
            return
        self.destroy_timer(self._starter)
        self.get_logger().info(f'the driver is ready after {waited_s:.1f} s: {self.world.title}')
        self._running_s = time.monotonic()
        self.topics.calibration(self.world.now_ns)
        self.topics.route(self.world.route(), self.world.now_ns)
        if self.settings.lockstep:
            self._timer = self.create_timer(1.0, self._guard, clock=self._wall)
            self._publish_timestep()
        else:
            self._publish_timestep()
            self._timer = self.create_timer(TICK_S, self._on_tick, clock=self._wall)

    # -- the world ------------------------------------------------------------------------------
    @property
    def _elapsed_s(self) -> float:
        return self.world.elapsed_s

    def _publish_timestep(self) -> None:
        """Clock, motion, truth and pictures of now; in lockstep the question to the driver."""
        now_ns = self.world.now_ns
        for news in self._injections.at(self._elapsed_s):
            self.get_logger().info(news)
        self.topics.clock(now_ns)
        self.topics.odometry(self.world.ego)
        self.topics.objects(now_ns, self.world.agents())
        if (instruction := self.world.news()) is not None:
            self.topics.instruct(instruction, now_ns)
        images = self.world.images()
        if self._watched:
            self.world.look({name: i for name, i in images.items() if name in self._watched})
        self.topics.images(now_ns, images)

    def _advance(self) -> bool:
        """Command, step, and whether the drive goes on."""
        self.world.step(self._orders.in_force(self.world.now_ns))
        limit_s = self.settings.duration_s
        if self.world.done or (limit_s and self._elapsed_s >= limit_s - 1e-6):
            self._finish()
            return False
        return True

    # -- lockstep -------------------------------------------------------------------------------
    def _on_health(self, message: Health) -> None:
        if self.steps is not None:
            self.steps.lock.on_health(ns(message.t0), message.plan_id)
            self._answered()

    def _on_plan(self, message: PlannedTrajectory) -> None:
        self.world.note_plan(message)
        if self.steps is not None:
            self.steps.lock.on_plan(message.plan_id, message)
            self._answered()

    def _on_reference(self, message: PlannedTrajectory) -> None:
        if self.steps is not None:
            self.steps.lock.on_reference(message.plan_id, message)
            self._answered()
        else:
            self._orders.refer(message)

    def _on_command(self, message: Twist) -> None:
        self._orders.command(message, self.world.now_ns)
        self._answered()

    def _answered(self) -> None:
        """Go on once the step is answered."""
        if self.steps is None or self._orders.count < self.steps.told.get('controller', 0):
            return
        replies = self.steps.lock.take()
        if replies is None:
            return
        for reply in replies:
            if reply.reference is not None:
                self._orders.refer(reply.reference)
            else:
                self._refusals += 1
        if self._advance():
            self._publish_timestep()

    def _guard(self) -> None:
        if lack := '' if self.steps is None else self.steps.hang(self.settings.hang_guard_s):
            self.get_logger().error(lack)
            self._finish('hang')
            self.exit_code = Status.ENVIRONMENT

    # -- free-running ---------------------------------------------------------------------------
    def _on_tick(self) -> None:
        """20 ms of simulated time: motion between the timesteps, a timestep at every fifth."""
        self._tick += 1
        if self._tick % TICKS == 0:
            if self._advance():
                self._publish_timestep()
            return
        order = self._orders.in_force(self.world.now_ns)
        state = self.world.between(self._tick % TICKS, TICKS, order)
        self.topics.clock(state.stamp_ns)
        self.topics.odometry(state)

    # -- the end --------------------------------------------------------------------------------
    def _finish(self, end: str = '') -> None:
        wall_s = time.monotonic() - self._running_s
        result = self.world.result('lockstep' if self.settings.lockstep else 'free')
        result['end'] = end or result['end'] or 'duration'
        result['refusals'] = self._refusals
        result['real_time_factor'] = round(self._elapsed_s / wall_s, 3) if wall_s > 0 else 0.0
        if self.settings.output:
            path = Path(self.settings.output)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(result, indent=1) + '\n')
        if self._watched:
            self.world.write_facts(Path(self.settings.record))
        self.get_logger().info('result: ' + json.dumps(result))
        self._end(0)

    def _end(self, code: int) -> None:
        self.exit_code = code
        if self._timer is not None:
            self.destroy_timer(self._timer)
        self.world.close()
        self.context.shutdown()


def writers(subscription: Any) -> int:
    """How many publishers a subscription is matched with."""
    return int(subscription.get_publisher_count())


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros simulator``."""
    return run(SimulatorNode)


if __name__ == '__main__':
    sys.exit(main())
