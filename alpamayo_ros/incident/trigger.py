"""When the last minute is worth a file: driving ended without anybody asking for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from alpamayo_ros.safety.state import DRIVING, Mode
from alpamayo_ros.units import NS

DISARMED = 'disarmed'  # the reason of a state that a person asked for
SILENT = 'SILENT'
MOST = 100  # events of one file; a state that flaps says nothing new after that
REASON_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Event:
    """Why a file is written: ``what`` is the state that driving ended in, or SILENT.

    ``at_ns``: by a clock that never steps; ``time_ns``: by that of the graph; ``reason``: as the
    driver said it; ``doubted``: somebody else could have said it.
    """

    what: str
    at_ns: int
    time_ns: int
    reason: str
    doubted: bool = False


class Trigger:
    """Hears every state; ``due`` gives the events of a file once it is time to write it.

    A file waits ``after_s`` for what follows, and ``hold_s`` from the file before: a state that
    flaps fills no disk.  What happens in the meantime is in the same file.  ``doubted``: whether
    more than one publisher tells states now; asked once for each event.
    """

    def __init__(
        self,
        after_s: float,
        hold_s: float,
        silence_s: float,
        doubted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._doubted = doubted
        self._after_ns, self._hold_ns = round(after_s * NS), round(hold_s * NS)
        self._silence_ns = round(silence_s * NS)
        self._mode: Mode | None = None
        self._heard: tuple[int, int] | None = None  # at_ns, time_ns of the newest state
        self._events: list[Event] = []
        self._written_ns: int | None = None

    def heard(self, mode: Mode, before: Mode, reason: str, at_ns: int, time_ns: int) -> None:
        """A state, as Health tells it; ``before``: the one before that decision."""
        last, self._mode = self._mode, mode
        self._heard = at_ns, time_ns
        drove = before in DRIVING or last in DRIVING
        worse = mode is Mode.FAULT and Mode.FAULT not in (before, last)
        ended = drove and mode not in DRIVING and reason != DISARMED
        if ended or worse:
            self._note(mode.name, at_ns, time_ns, reason[:REASON_CHARACTERS])

    def look(self, at_ns: int) -> None:
        """Notice a driver that fell silent while it drove."""
        if self._mode not in DRIVING or self._heard is None:
            return
        silent_ns = at_ns - self._heard[0]
        if silent_ns > self._silence_ns:
            text = f'the driver has said nothing for {silent_ns / NS:.1f} s'
            self._note(SILENT, at_ns, self._heard[1], text)
            self._mode = None

    def _note(self, what: str, at_ns: int, time_ns: int, reason: str) -> None:
        if len(self._events) < MOST:
            self._events.append(Event(what, at_ns, time_ns, reason, self._doubted()))

    def due(self, at_ns: int) -> tuple[Event, ...]:
        """The events of the file to be written now; empty where there is none."""
        waits = not self._events or at_ns < self._events[0].at_ns + self._after_ns
        return () if waits or self.holds(at_ns) else self.take(at_ns)

    def holds(self, at_ns: int) -> bool:
        """Whether the last file is too young for another."""
        return self._written_ns is not None and at_ns < self._written_ns + self._hold_ns

    def take(self, at_ns: int) -> tuple[Event, ...]:
        """The events so far, for a file that is written now whatever it waits for."""
        events, self._events = tuple(self._events), []
        self._written_ns = at_ns
        return events
