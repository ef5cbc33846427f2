"""Instructions and prompts of a recording, as the navigation node words them in lockstep."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from alpamayo_ros.evaluation.bag import NS
from alpamayo_ros.evaluation.replay.intake import ns
from alpamayo_ros.faults import Fault
from alpamayo_ros.sensing import route
from alpamayo_ros.sensing.announcer import Announcer, Said
from alpamayo_ros.sensing.instructions import Instructions
from alpamayo_ros.sensing.navigation import (
    FOLLOW_TEXT,
    NavInstruction,
    clean_prompt,
)

EFFECT_NS = NS // 10  # as effect_s of the navigation node: an instruction holds this much later
HOLD_NS = NS  # as its hold_s


@dataclass(slots=True)
class Instructed:
    """What the driver was told; texts in force at any t0."""

    faults: list[Fault] = field(default_factory=list)
    _announcer: Announcer = field(default_factory=lambda: Announcer(HOLD_NS, EFFECT_NS))
    _navigation: Instructions = field(default_factory=lambda: Instructions(FOLLOW_TEXT))
    _prompt: Instructions = field(default_factory=Instructions)

    def take(self, role: str, message: Any, now_ns: int) -> None:
        """A message of the roles nav, nav_text or prompt_text; ``now_ns``: newest odometry."""
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
        elif role == 'prompt_text':
            text, fault = clean_prompt(message.data)
            self.faults += [fault] if fault else []
            self._prompt.add(now_ns + EFFECT_NS, 0, text)

    def pass_time(self, now_ns: int) -> None:
        """Odometry came: what waits may be due."""
        self._say(self._announcer.switch(now_ns))

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
