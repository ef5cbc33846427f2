"""Which kept timesteps a cycle looks at, and at which positions: a page list, not a ring.

At 10 Hz with timesteps 0.25 s apart a cycle wants pictures aged 0, 0.2 or 0.3, and 0.5 s, so one
timestep is seen at several ages, by cycles that do not follow each other.  Every cycle keeps its
timestep in a page; the pages whose ages are nearest to the profile's are chosen.  In the first
cycles and after a gap there is none for some ages: such a timestep is absent, and nothing stands
in for it.

A timestep's number is its time divided by the spacing, rounded down.  The pages of a cycle are
chosen with numbers that follow each other, as in training; a number is never changed afterwards,
so that keys rotated by it stay true.
"""

from __future__ import annotations

from dataclasses import dataclass

from alpamayo_ros.profile import Frames
from alpamayo_ros.units import NS


@dataclass(frozen=True, slots=True)
class Choice:
    """``page`` to write the newest timestep to; all that are seen, newest first.

    ``number``: of the newest timestep.  ``stamps_ns``: of the chosen ones, each with the number
    that follows from the newest one's; None where no timestep with that number is kept, and
    ``chosen`` then names a page that is not to be seen.
    """

    page: int
    chosen: tuple[int, ...]
    number: int
    stamps_ns: tuple[int | None, ...]


class Pages:
    """Pages for ``frames`` in cycles that are at least ``period_s`` apart."""

    def __init__(self, frames: Frames, period_s: float) -> None:
        self._frames, self._spacing_ns = frames, round(frames.spacing_s * NS)
        period_ns = round(period_s * NS)
        if period_ns > self._spacing_ns:
            raise ValueError(
                f'a cycle every {period_s} s is slower than timesteps {frames.spacing_s} s '
                'apart; expected at least one cycle a timestep'
            )
        self.count = pages(frames, period_s)
        self._kept: list[int] = []  # stamps, oldest first; the page is the index modulo count
        self._first_ns, self._taken = 0, 0

    def take(self, t_ns: int) -> Choice:
        """Where a timestep of ``t_ns`` goes and what its cycle sees; times only grow, from 0."""
        if t_ns < 0:
            raise ValueError(f'{t_ns} ns; expected the time of a picture, 0 or more')
        if self._kept and t_ns <= self._kept[-1]:
            raise ValueError(f'{t_ns} ns is not after {self._kept[-1]} ns: start anew')
        if not self._taken:
            self._first_ns = t_ns
        self._kept = [*self._kept, t_ns][-self.count :]
        self._taken += 1
        found = [self._nearest(t_ns, age) for age in range(self._frames.count)]
        stamps = tuple(None if i is None else self._kept[i] for i in found)
        page, offset = (self._taken - 1) % self.count, self._taken - len(self._kept)
        chosen = tuple(page if i is None else (offset + i) % self.count for i in found)
        return Choice(page, chosen, self._number(t_ns), stamps)

    def _number(self, t_ns: int) -> int:
        return (t_ns - self._first_ns) // self._spacing_ns

    def _nearest(self, t_ns: int, age: int) -> int | None:
        """Index of the kept stamp with the number ``age`` before, nearest to its true time."""
        wanted, number = t_ns - age * self._spacing_ns, self._number(t_ns) - age
        fits = [i for i, kept in enumerate(self._kept) if self._number(kept) == number]
        return min(fits, key=lambda i: abs(self._kept[i] - wanted), default=None)


def pages(frames: Frames, period_s: float) -> int:
    """How many timesteps are kept: the oldest one seen is less than a cycle older than asked."""
    period_ns, spacing_ns = round(period_s * NS), round(frames.spacing_s * NS)
    return -(-((frames.count - 1) * spacing_ns + period_ns) // period_ns)
