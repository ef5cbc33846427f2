"""Instructions and prompts of a recording, as the navigation node words them in lockstep."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from alpamayo_ros.faults import Fault
from alpamayo_ros.replay.intake import ns
from alpamayo_ros.sensing import route
from alpamayo_ros.sensing.announcer import Announcer, Said
from alpamayo_ros.sensing.instructions import Instructions
from alpamayo_ros.sensing.navigation import (
    FOLLOW_TEXT,
    NavInstruction,
    clean_prompt,
)
from alpamayo_ros.sensing.rig import OdometrySource
from alpamayo_ros.sensing.route_frame import PlacedRoute
from alpamayo_ros.types import EgoState
from alpamayo_ros.units import NS

EFFECT_NS = NS // 10  # as effect_s of the navigation node: an instruction holds this much later
HOLD_NS = NS  # as its hold_s
LOOK_NS = NS // 2  # as its period_s: how often the route is looked at


@dataclass(slots=True)
class Instructed:
    """What the driver was told; texts in force at any t0."""

    faults: list[Fault] = field(default_factory=list)
    _announcer: Announcer = field(default_factory=lambda: Announcer(HOLD_NS, EFFECT_NS))
    _navigation: Instructions = field(default_factory=lambda: Instructions(FOLLOW_TEXT))
    _prompt: Instructions = field(default_factory=Instructions)
    _route: PlacedRoute = field(default_factory=PlacedRoute)
    _looked_ns: int = -NS

    def place(self, source: OdometrySource) -> None:
        """Name the frames in which a route may come."""
        self._route = PlacedRoute(source.frame_id, source.child_frame_id)

    def take(self, role: str, message: Any, now_ns: int) -> None:
        """A message of the roles nav, nav_text, prompt_text or route; ``now_ns``: of odometry."""
        if role == 'nav':
            known = NavInstruction(
                int(message.maneuver), float(message.distance_m), str(message.street),
                int(message.exit_number),
            )  # fmt: skip
            at_ns, expires_ns = ns(message.header.stamp), ns(message.expires)
            self._say(self._announcer.offer(known, 'nav', at_ns, expires_ns, at_once=True))
        elif role == 'nav_text':
            found = route.from_text(message.data)
            if isinstance(found, Fault):
                self.faults.append(found)
            else:
                self._say(self._announcer.offer(found, 'text', now_ns))
        elif role == 'route':
            self._looked_ns = -NS
            fault = self._route.take(message.header.frame_id, route_points(message))
            self.faults += [fault] if fault else []
        elif role == 'prompt_text':
            text, fault = clean_prompt(message.data)
            self.faults += [fault] if fault else []
            self._prompt.add(now_ns + EFFECT_NS, 0, text)

    def pass_time(self, now_ns: int, ego: EgoState | None = None) -> None:
        """Odometry came: the route may be due to be looked at, what waits to be said."""
        due = not self._looked_ns <= now_ns < self._looked_ns + LOOK_NS
        if ego is not None and due:
            self._look(ego, now_ns)
        self._say(self._announcer.switch(now_ns))

    def _look(self, ego: EgoState, now_ns: int) -> None:
        """The next manoeuvre of the route, seen from the car."""
        points = self._route.from_car(ego)
        if points is None:
            return
        self._looked_ns = now_ns
        found = route.from_route(points)
        if isinstance(found, Fault):
            self.faults.append(found)
            self._route.drop()
        else:
            self._say(self._announcer.offer(found, 'route', ego.stamp_ns))

    def _say(self, said: Said | None) -> None:
        if said is not None:
            self.faults += [said.fault] if said.fault else []
            self._navigation.add(said.stamp_ns, said.expires_ns, said.text)

    def navigation(self, t0_ns: int) -> str:
        """Instruction in force at ``t0_ns``."""
        return self._navigation.at(t0_ns)

    def prompt(self, t0_ns: int) -> str:
        """Prompt in force at ``t0_ns``."""
        return self._prompt.at(t0_ns)


def route_points(message: Any) -> Float[np.ndarray, 'n 2']:
    """Points of a nav_msgs/Path."""
    points = [(p.pose.position.x, p.pose.position.y) for p in message.poses]
    return np.array(points, dtype=np.float64).reshape(-1, 2)
