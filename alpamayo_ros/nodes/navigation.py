"""Node ``navigation``: instructions, a route or plain text in, canonical wording out.

The wording is latched.  Nothing is published until something is said: the planner then reads
'follow the road'.  The latest instruction wins, at most one switch a second.  In lockstep an
instruction takes effect one period after the odometry it was made from, so that its arrival
decides nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from nav_msgs.msg import Odometry, Path
from rclpy.clock import Clock, ClockType
from std_msgs.msg import String

from alpamayo_ros.faults import Fault
from alpamayo_ros.msg import DrivingPrompt, NavInstruction, StepDone
from alpamayo_ros.nodes.common import convert, qos
from alpamayo_ros.nodes.common.convert import ns, stamp
from alpamayo_ros.nodes.common.node import AlpamayoNode, ConfigurationError, run
from alpamayo_ros.nodes.lockstep.step_inputs import StepInputs
from alpamayo_ros.nodes.lockstep.step_queue import Announced
from alpamayo_ros.parameters.of_nodes import NAVIGATION
from alpamayo_ros.sensing import navigation, route
from alpamayo_ros.sensing.announcer import Announcer, Said
from alpamayo_ros.sensing.rig import load_rig
from alpamayo_ros.sensing.route_frame import PlacedRoute
from alpamayo_ros.sensing.streets import read_streets
from alpamayo_ros.types import EgoState
from alpamayo_ros.units import NS


class NavigationNode(AlpamayoNode):
    """Keeps the instruction in force and the one that waits for its turn."""

    def __init__(self) -> None:
        super().__init__('navigation', NAVIGATION)
        lockstep = self.settings.lockstep
        self.source = load_rig(self.settings.rig).odometry
        self._ego: EgoState | None = None
        self._route = PlacedRoute(self.source.frame_id, self.source.child_frame_id)
        effect_ns = round(self.settings.effect_s * NS) if lockstep else 0
        hold_ns = round(self.settings.hold_s * NS)
        self._announcer = Announcer(hold_ns, effect_ns, _streets(self.settings.streets))
        self._looked_ns = -NS
        kept = qos.latched(qos.MANY if lockstep else 10)
        self._nav = qos.watched_publisher(self, NavInstruction, 'nav', kept)
        self._prompt = qos.watched_publisher(self, DrivingPrompt, 'prompt', kept)
        self._published = 0
        if lockstep:
            self.steps = StepInputs(self, self._on_step)
        operator = qos.output(False, depth=10)
        self._read(NavInstruction, 'nav_instruction', self._on_instruction, qos.latched(10))
        self._read(String, 'nav_text', self._on_text, operator)
        self._read(String, 'prompt_text', self._on_prompt, operator)
        if self.settings.use_route:
            self._read(Path, 'route', self._on_route, qos.latched())
        sensor = qos.sensor(False, 5, self.settings.reliable_inputs)
        self._read(Odometry, self.source.topic, self._on_odometry, sensor)
        if not lockstep:
            wall = Clock(clock_type=ClockType.STEADY_TIME)
            self.create_timer(self.settings.period_s, self._on_time, clock=wall)

    def _read(self, kind: type, topic: str, take: Callable[[Any], None], profile: Any) -> None:
        """In lockstep only odometry comes from the source alone; a person may say the rest."""
        if self.settings.lockstep:
            self.steps.subscribe(kind, topic, take, None if kind is Odometry else profile)
        else:
            qos.watched_subscription(self, kind, topic, take, profile)

    @property
    def now_ns(self) -> int:
        """Time of the newest odometry in lockstep, else of the clock."""
        if not self.settings.lockstep:
            return self.get_clock().now().nanoseconds
        return 0 if self._ego is None else self._ego.stamp_ns

    # -- inputs ---------------------------------------------------------------------------------
    def _on_instruction(self, message: NavInstruction) -> None:
        known = navigation.NavInstruction(
            message.maneuver, message.distance_m, message.street, message.exit_number
        )
        lockstep = self.settings.lockstep  # then the time it was given decides, not its arrival
        now_ns = ns(message.header.stamp) if lockstep else self.now_ns
        offered = (known, message.source or 'instruction', now_ns, ns(message.expires), lockstep)
        self._say(self._announcer.offer(*offered))

    def _on_text(self, message: String) -> None:
        found = route.from_text(message.data)
        if isinstance(found, Fault):
            self._refuse(found)
        else:
            self._say(self._announcer.offer(found, 'text', self.now_ns))

    def _on_prompt(self, message: String) -> None:
        text, fault = navigation.clean_prompt(message.data)
        out = DrivingPrompt(text=text, source='operator')
        out.header.stamp = stamp(self.now_ns + self._announcer.effect_ns)
        out.faults = [fault.code.name] if fault else []
        self.faults.update({fault.code.name: str(fault)} if fault else {})
        self._prompt.publish(out)
        self._published += 1

    def _on_route(self, message: Path) -> None:
        points = [(p.pose.position.x, p.pose.position.y) for p in message.poses]
        placed = np.array(points, dtype=np.float64).reshape(-1, 2)
        fault = self._route.take(message.header.frame_id, placed)
        if fault is not None:
            self._refuse(fault)
        self._looked_ns = -NS

    def _on_step(self, step: Announced, done: StepDone) -> None:
        done.instructions = self._published

    def _on_odometry(self, message: Odometry) -> None:
        now_ns = None if self.settings.lockstep else self.get_clock().now().nanoseconds
        frames = (self.source.frame_id, self.source.child_frame_id)
        ahead_m = self.source.ahead_of_rear_axle_m
        state = convert.ego_state(message, frames, self.limits, now_ns, ahead_m)
        if isinstance(state, Fault):
            return  # egomotion reports it
        newest_ns = 0 if self._ego is None else self._ego.stamp_ns
        if not newest_ns - NS <= state.stamp_ns < newest_ns:
            self._ego = state  # a late one tells nothing, a clock that jumped back does
        due_ns = self._looked_ns + self.settings.period_s * NS
        if not self._looked_ns <= state.stamp_ns < due_ns:
            self._look(state)
        self._on_time()

    def _on_time(self) -> None:
        """What waits may be due."""
        self._say(self._announcer.switch(self.now_ns))

    def _look(self, ego: EgoState) -> None:
        """The next manoeuvre of the route, seen from the car."""
        points = self._route.from_car(ego)
        if points is None:
            return
        self._looked_ns = ego.stamp_ns
        found = route.from_route(points)
        if isinstance(found, Fault):
            self._refuse(found)
            self._route.drop()
        else:
            self._say(self._announcer.offer(found, 'route', self.now_ns))

    # -- outputs --------------------------------------------------------------------------------
    def _refuse(self, fault: Fault) -> None:
        self.faults.update({fault.code.name: str(fault)})

    def _say(self, said: Said | None) -> None:
        if said is None:
            return
        fault = said.fault
        self.faults.update({fault.code.name: str(fault)} if fault else {})
        out = NavInstruction(text=said.text, source=said.source)
        out.faults = [fault.code.name] if fault else []
        if said.known is not None:
            out.maneuver, out.exit_number = int(said.known.maneuver), said.known.exit_number
            out.distance_m = float(said.known.distance_m)
        out.header.stamp, out.header.frame_id = stamp(said.stamp_ns), 'map'
        out.expires = stamp(said.expires_ns)
        self._nav.publish(out)
        self._published += 1
        self.get_logger().info(f'instruction: {said.text}')


def _streets(path: str) -> frozenset[str] | None:
    """The map's list; None without a file, ConfigurationError for one that is none."""
    try:
        return read_streets(path) if path else None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f'navigation refuses to configure: streets: {error}') from error


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros navigation``."""
    return run(NavigationNode)


if __name__ == '__main__':
    sys.exit(main())
