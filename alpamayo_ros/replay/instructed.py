"""Instructions and prompts of a recording, as the navigation node words them in lockstep."""

from __future__ import annotations

import math
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
    _route: Float[np.ndarray, 'n 2'] | None = None
    _looked_ns: int = -NS

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
            self._route, self._looked_ns = route_points(message), -NS
        elif role == 'prompt_text':
            text, fault = clean_prompt(message.data)
            self.faults += [fault] if fault else []
            self._prompt.add(now_ns + EFFECT_NS, 0, text)

    def pass_time(self, now_ns: int, ego: EgoState | None = None) -> None:
        """Odometry came: the route may be due to be looked at, what waits to be said."""
        due = not self._looked_ns <= now_ns < self._looked_ns + LOOK_NS
        if self._route is not None and ego is not None and due:
            self._looked_ns = now_ns
            self._look(ego, self._route)
        self._say(self._announcer.switch(now_ns))

    def _look(self, ego: EgoState, points: Float[np.ndarray, 'n 2']) -> None:
        """The next manoeuvre of the route, seen from the car."""
        cos, sin = math.cos(ego.heading_rad), math.sin(ego.heading_rad)
        offset = points - (ego.x_m, ego.y_m)
        found = route.from_route(offset @ np.array([[cos, -sin], [sin, cos]]))
        if isinstance(found, Fault):
            self.faults.append(found)
            self._route = None
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
