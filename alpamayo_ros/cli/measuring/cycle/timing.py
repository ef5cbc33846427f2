"""CPU time of calls that take turns, so that a busy machine slows all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar('Item')


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU and wall milliseconds of every call of one kind, in order."""

    cpu_ms: list[float]
    wall_ms: list[float]

    @property
    def median_ms(self) -> float:
        """Median CPU time."""
        return statistics.median(self.cpu_ms)

    def record(self) -> dict[str, float]:
        """Medians, and the quartiles of the CPU time."""
        low, _, high = statistics.quantiles(self.cpu_ms, n=4)
        wall = statistics.median(self.wall_ms)
        return {
            'cpu_ms': round(self.median_ms, 3),
            'cpu_ms_q1': round(low, 3),
            'cpu_ms_q3': round(high, 3),
            'wall_ms': round(wall, 3),
            'calls': len(self.cpu_ms),
        }


def take_turns(
    items: Iterable[Item],
    calls: Mapping[str, Callable[[Item], object]],
    each: Callable[[], None] = lambda: None,
) -> dict[str, Spent]:
    """Every item through every call, the order turned by one from item to item.

    A call may keep what it made of the items before, as a drive does.  ``each`` is called after
    every item, for a progress bar.
    """
    spent = {name: Spent([], []) for name in calls}
    names = list(calls)
    for index, item in enumerate(items):
        first = index % len(names)
        for name in names[first:] + names[:first]:
            cpu, wall = time.process_time(), time.perf_counter()
            calls[name](item)
            spent[name].cpu_ms.append((time.process_time() - cpu) * 1e3)
            spent[name].wall_ms.append((time.perf_counter() - wall) * 1e3)
        each()
    return spent
