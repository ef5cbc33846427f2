"""Autoware's route of lanelets as the instruction that ``navigation`` reads."""

from __future__ import annotations

from typing import Any

from nav_msgs.msg import Odometry

from alpamayo_ros.bridges.autoware.lanelet_route import LaneletRoute
from alpamayo_ros.bridges.autoware.lanelets import read_lanes
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.msg import NavInstruction
from alpamayo_ros.nodes.common import convert, qos
from alpamayo_ros.nodes.common.node import ConfigurationError
from alpamayo_ros.sensing.navigation import Maneuver, canonical
from alpamayo_ros.sensing.navigation import NavInstruction as Instruction
from alpamayo_ros.sensing.rig import OdometrySource
from alpamayo_ros.units import NS

PERIOD_NS = NS // 4  # between two looks from the car along the route


class RouteReader:
    """Says an instruction when its wording changes; 'follow the road' for a route that is unfit.

    ``source``: the odometry of the rig, in the frame of the map.
    """

    def __init__(self, node: Any, kinds: Any, source: OdometrySource) -> None:
        self._node, self._source, s = node, source, node.settings
        try:
            self._lanes = read_lanes(s.map_osm)
        except (OSError, ValueError) as error:
            text = f'autoware refuses to configure: map_osm: {error}'
            raise ConfigurationError(text) from error
        self._route: LaneletRoute | None = None
        self._looked_ns, self._said = 0, ''
        latched, sensor = qos.latched(10), qos.sensor(False, 1, s.reliable_inputs)
        self._out = qos.watched_publisher(node, NavInstruction, 'nav_instruction', latched)
        route = kinds.autoware_planning_msgs.LaneletRoute
        qos.watched_subscription(node, route, s.route_topic, self._on_route, qos.latched())
        qos.watched_subscription(node, Odometry, source.topic, self._on_odometry, sensor)

    def _on_route(self, message: Any) -> None:
        ids = [segment.preferred_primitive.id for segment in message.segments]
        frame, goal = message.header.frame_id, message.goal_pose.position
        self._route, self._looked_ns = None, 0
        try:
            if frame != self._source.frame_id:
                raise ValueError(f'it is in {frame[:40]!r}, not {self._source.frame_id!r}')
            self._route = LaneletRoute(self._lanes, ids, (goal.x, goal.y))
        except ValueError as error:
            topic = self._node.settings.route_topic
            self._node.faults.event(Fault(Code.NAV_FORMAT, f'{topic}: {error}'))
            self._say(Instruction(Maneuver.FOLLOW), message.header.stamp)
            return
        if against := self._route.contradicting:
            text = f'turn_direction of lanelet {", ".join(map(str, against[:8]))} contradicts its'
            self._node.get_logger().warning(f'{text} shape; the shape is taken')

    def _on_odometry(self, message: Odometry) -> None:
        frames = (self._source.frame_id, self._source.child_frame_id)
        now_ns = self._node.get_clock().now().nanoseconds
        limits, ahead_m = self._node.limits, self._source.ahead_of_rear_axle_m
        state = convert.ego_state(message, frames, limits, now_ns, ahead_m)
        if self._route is None or isinstance(state, Fault):
            return  # egomotion reports it
        if self._looked_ns <= state.stamp_ns < self._looked_ns + PERIOD_NS:
            return
        self._looked_ns = state.stamp_ns
        found = self._route.instruction(state.x_m, state.y_m)
        if isinstance(found, Fault):
            self._node.faults.event(found)
            found = Instruction(Maneuver.FOLLOW)
        self._say(found, message.header.stamp)

    def _say(self, instruction: Instruction, at: Any) -> None:
        words = canonical(instruction)[0]
        if words == self._said:
            return
        self._said = words
        out = NavInstruction(maneuver=int(instruction.maneuver), source='route')
        out.distance_m = float(instruction.distance_m)
        out.header.stamp, out.header.frame_id = at, self._source.frame_id
        self._out.publish(out)
