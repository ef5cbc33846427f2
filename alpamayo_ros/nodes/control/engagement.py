"""When a controller speaks at all.  Pure.

A person who drives must not be braked, and a car that drove by itself must not be let go while it
moves:

- silent until the driver is armed, and from the moment that a person takes over;
- from arming on it speaks: it follows, or it brakes to a stand and holds;
- after a disarm it brakes, and is silent once the car stands.

Silence of the driver is no disarm: it goes on braking, until somebody takes over or disarms.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from alpamayo_ros.faults import Code
from alpamayo_ros.nodes.control.command import STANDING_MPS


@dataclass(slots=True)
class Engagement:
    """``engaged``: whether commands are sent.  ``armed`` is None before the first Health.

    ``released``: a person has taken over, and the driver has not said since that it is disarmed.
    """

    armed: bool | None = None
    taken_over: bool = False
    released: bool = False
    engaged: bool = False

    def on_health(self, armed: bool, faults: Collection[str] = ()) -> None:
        """What the driver says; TAKEOVER among its ``faults`` counts as the topic's own word."""
        self.armed = armed
        if Code.TAKEOVER.name in faults:
            self.engaged, self.released = False, True
        self.released &= armed
        self.engaged |= armed and not (self.taken_over or self.released)

    def on_takeover(self, taken_over: bool) -> None:
        """What the person at the wheel says; afterwards the driver has to be armed again."""
        self.taken_over = taken_over
        if taken_over:
            self.engaged, self.released = False, True

    def on_speed(self, speed_mps: float) -> None:
        """A disarmed car that stands is let go."""
        if self.armed is False and abs(speed_mps) < STANDING_MPS:
            self.engaged = False

    @property
    def braking(self) -> str:
        """Why it brakes whatever the reference says; '' where the reference counts."""
        return '' if self.armed else 'disarmed while driving'
