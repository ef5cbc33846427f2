"""Which kept timesteps a cycle looks at, and at which positions: a page list, not a ring.

At 10 Hz with timesteps 0.25 s apart a cycle wants pictures aged 0, 0.2 or 0.3, and 0.5 s, so one
timestep is seen at several ages, by cycles that do not follow each other.  Every cycle keeps its
timestep in a page; the pages whose ages are nearest to the profile's are chosen.

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

    ``number``: of the newest timestep.  ``stamps_ns``: of the chosen ones.  ``complete``: each has
    the number that follows from the newest one's; where there is none such, at the beginning and
    after a gap, the nearest stands in.  Where keys are kept (``vision.timesteps: all``) a cycle's
    own page is not written yet when it is recalled: what is not complete is no plan to drive.
    """

    page: int
    chosen: tuple[int, ...]
    number: int
    stamps_ns: tuple[int, ...]
    complete: bool


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
        """Where a timestep of ``t_ns`` goes and what its cycle sees; times only grow."""
        if self._kept and t_ns <= self._kept[-1]:
            raise ValueError(f'{t_ns} ns is not after {self._kept[-1]} ns: start anew')
        if not self._taken:
            self._first_ns = t_ns
        self._kept = [*self._kept, t_ns][-self.count :]
        self._taken += 1
        found = [self._nearest(t_ns, age) for age in range(self._frames.count)]
        stamps = tuple(self._kept[i] for i in found)
        number = self._number(t_ns)
        complete = all(self._number(t) == number - age for age, t in enumerate(stamps))
        offset = self._taken - len(self._kept)
        chosen = tuple((offset + i) % self.count for i in found)
        return Choice((self._taken - 1) % self.count, chosen, number, stamps, complete)

    def _number(self, t_ns: int) -> int:
        return (t_ns - self._first_ns) // self._spacing_ns

    def _nearest(self, t_ns: int, age: int) -> int:
        """Index of the kept stamp with the number ``age`` before, nearest to its true time."""
        wanted = t_ns - age * self._spacing_ns
        every = range(len(self._kept))
        number = self._number(t_ns) - age
        fits = [i for i in every if self._number(self._kept[i]) == number]
        return min(fits or every, key=lambda i: abs(self._kept[i] - wanted))


def pages(frames: Frames, period_s: float) -> int:
    """How many timesteps are kept: the oldest one seen is less than a cycle older than asked."""
    period_ns, spacing_ns = round(period_s * NS), round(frames.spacing_s * NS)
    return -(-((frames.count - 1) * spacing_ns + period_ns) // period_ns)
