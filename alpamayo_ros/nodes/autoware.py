"""Node ``autoware``: our plans in Autoware's words, and its route and permission in ours.

Plans and candidates go out in the map, beginning at t0.  The driver is armed while Autoware and
the vehicle both say AUTONOMOUS, and disarmed in the callback of the message that says otherwise
(``stack.arming``).  A route of lanelets becomes the instruction of ``navigation``.
"""

from __future__ import annotations

import sys
from typing import Any

from rclpy.exceptions import InvalidTopicNameException
from rclpy.validate_topic_name import validate_topic_name
from std_msgs.msg import String

from alpamayo_ros.bridges.autoware import points
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.graph_spec import OUR_WORDS
from alpamayo_ros.msg import CandidateArray, ChainOfCausation, NavInstruction, PlannedTrajectory
from alpamayo_ros.nodes.common import convert, qos
from alpamayo_ros.nodes.common.node import AlpamayoNode, ConfigurationError, run
from alpamayo_ros.nodes.stack import messages
from alpamayo_ros.nodes.stack.arming import Arming
from alpamayo_ros.nodes.stack.route import RouteReader
from alpamayo_ros.parameters.of_nodes import AUTOWARE
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.rig import load_rig

SAID = ('trajectory_topic', 'candidates_topic', 'reasoning_topic')
HEARD = ('route_topic', 'control_mode_topic')


class AutowareNode(AlpamayoNode):
    """Publishers and subscriptions of both worlds; what is decided stands in ``bridges``."""

    def __init__(self) -> None:
        super().__init__('autoware', AUTOWARE)
        s, rig = self.settings, load_rig(self.settings.rig)
        self.kinds = messages.stack()
        self._wheelbase_m = rig.vehicle.wheelbase_m
        self._refuse_misfits(rig.odometry.frame_id)
        self._nav: NavInstruction | None = None
        count = load_profile(s.profile).candidates
        self._generators = messages.generators(s.generator_name, count)
        self._open_topics()
        modes = bool(s.operation_mode_topic)
        self.arming = Arming(self, self.kinds, s.trajectory_topic) if modes else None
        self.route = RouteReader(self, self.kinds, rig.odometry) if s.map_osm else None

    def _refuse_misfits(self, odometry_frame: str) -> None:
        s, wrong = self.settings, []
        if s.frame != odometry_frame:
            wrong.append(
                f'frame is {s.frame!r} and the odometry of the rig is in {odometry_frame!r}; '
                f'expected a rig that reads /localization/kinematic_state, frame_id: {s.frame}'
            )
        if not (s.trajectory_topic or s.candidates_topic):
            wrong.append('trajectory_topic and candidates_topic are empty; expected one of them')
        for name in (*SAID, 'operation_mode_topic', *HEARD):
            topic = getattr(s, name)
            try:
                if topic or name in HEARD:
                    validate_topic_name(topic)
            except (InvalidTopicNameException, ValueError) as error:
                wrong.append(f'{name} is {topic!r}: {" ".join(str(error).split())}')
        if wrong:
            text = 'autoware refuses to configure:\n  ' + '\n  '.join(wrong)
            raise ConfigurationError(str(Fault(Code.PARAMETER, text)))

    def _open_topics(self) -> None:
        s, out = self.settings, qos.output(False)
        kinds = (
            self.kinds.autoware_planning_msgs.Trajectory,
            self.kinds.autoware_internal_planning_msgs.CandidateTrajectories,
            String,
        )
        self._out: dict[str, Any] = {
            name: qos.watched_publisher(self, kind, getattr(s, name), out)
            for name, kind in zip(SAID, kinds, strict=True)
            if getattr(s, name)
        }
        inputs = (
            ('trajectory_topic', PlannedTrajectory, 'trajectory', self._on_plan),
            ('candidates_topic', CandidateArray, 'evaluated', self._on_candidates),
            ('reasoning_topic', ChainOfCausation, OUR_WORDS, self._on_words),
        )
        for name, kind, topic, take in inputs:
            if name in self._out:
                qos.watched_subscription(self, kind, topic, take, out)
        qos.watched_subscription(self, NavInstruction, 'nav', self._on_nav, qos.latched())

    def _on_plan(self, message: PlannedTrajectory) -> None:
        where = message.pose_in_odom
        at = (where.position.x, where.position.y, convert.heading(where))
        try:
            path = points.in_map(points.with_start(points.from_columns(message)), *at)
        except ValueError as error:
            self.faults.event(Fault(Code.PLAN_SHAPE, f'trajectory: {error}'))
            return
        made = messages.trajectory(self.kinds, message.header.stamp, self.settings.frame, path)
        self._out['trajectory_topic'].publish(made)

    def _on_candidates(self, message: CandidateArray) -> None:
        known = (self._generators, self.settings.frame, self._wheelbase_m)
        try:
            made = messages.candidates(self.kinds, message, *known, messages.indicator(self._nav))
        except ValueError as error:
            self.faults.event(Fault(Code.PLAN_SHAPE, f'evaluated: {error}'))
            return
        self._out['candidates_topic'].publish(made)

    def _on_words(self, message: ChainOfCausation) -> None:
        self._out['reasoning_topic'].publish(String(data=message.text))

    def _on_nav(self, message: NavInstruction) -> None:
        self._nav = message


def main() -> int:
    """Entry point of ``ros2 run alpamayo_ros autoware``."""
    return run(AutowareNode)


if __name__ == '__main__':
    sys.exit(main())
