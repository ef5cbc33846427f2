"""Which instruction is said when: the latest wins, at most one switch a second.

Row F31 of docs/faults.md.  Pure; the navigation node and offline replay use it, so that both say
the same at the same time.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.sensing.navigation import NavInstruction, canonical
from alpamayo_ros.units import NS

FLOOD_CHANGES = 4  # within one hold; a route looked at twice a second makes two


@dataclass(frozen=True, slots=True)
class Said:
    """An instruction as it leaves.  ``stamp_ns``: from when it holds; ``expires_ns`` 0: for good.

    ``known``: what was understood; None where ``text`` replaces what was not.
    """

    text: str
    source: str
    known: NavInstruction | None
    stamp_ns: int
    expires_ns: int = 0
    fault: Fault | None = None


class Announcer:
    """The instruction in force and the one that waits for its turn.

    ``hold_ns``: shortest time between two different ones.  ``effect_ns``: in lockstep an
    instruction holds this much later, so that its arrival decides nothing.  ``streets``: the names
    that the map has; None where there is no list.
    """

    def __init__(
        self, hold_ns: int, effect_ns: int = 0, streets: Collection[str] | None = None
    ) -> None:
        """Nothing is said yet."""
        self._hold_ns, self.effect_ns, self._streets = hold_ns, effect_ns, streets
        self._waiting: Said | None = None
        self._said: tuple[str, int] = ('', 0)
        self._switched_ns = -NS
        self._offered, self._changes = '', 0  # since the last switch

    def offer(
        self,
        instruction: NavInstruction,
        source: str,
        now_ns: int,
        expires_ns: int = 0,
        at_once: bool = False,
    ) -> Said | None:
        """The latest instruction waits until it may be said; what is said now, if anything is."""
        text, fault = canonical(instruction, self._streets)
        refused = fault is not None and fault.code is Code.NAV_FORMAT
        known = None if refused else instruction
        self._changes += text != self._offered
        self._offered = text
        self._waiting = Said(text, source, known, now_ns, expires_ns, fault)
        return self.switch(now_ns, at_once)

    def switch(self, now_ns: int, at_once: bool = False) -> Said | None:
        """What waits, unless it is what was said, or too soon after it.

        The same text with another time of expiry is a renewal and is said at once.
        """
        item = self._waiting
        if item is None:
            return None
        renewed = item.text == self._said[0]
        if renewed and item.expires_ns == self._said[1]:
            self._waiting = None
            return None
        if not (at_once or renewed) and 0 <= now_ns - self._switched_ns < self._hold_ns:
            return None
        self._waiting, self._said = None, (item.text, item.expires_ns)
        fault, changes = item.fault, self._changes
        if not renewed:
            self._switched_ns, self._changes = now_ns, 0
        if changes >= FLOOD_CHANGES and fault is None and not at_once:
            fault = Fault(Code.NAV_FLOOD, f'{changes} since the last one that was said.')
        stamp_ns = now_ns + self.effect_ns
        return Said(item.text, item.source, item.known, stamp_ns, item.expires_ns, fault)
