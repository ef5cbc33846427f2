"""How a recording is cut into steps: the one definition behind offline and lockstep replay.

Time runs from step to step.  A step ends ``wait_ns`` after the first image of the reference camera
in it, so that the others had their time, or after one set period where no such image came: a step
is never long, whatever the rate, the jitter or the loss.  Its messages are taken in bag order,
each at the time it was recorded; then the time is the step's end and what became ready is acted
upon.  A hole of several seconds is jumped over, and seen by everybody as a jump of the clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

from alpamayo_ros.sensing.arrivals import Arrival, form
from alpamayo_ros.sensing.synchronisation.sync import SET_PERIOD_NS, WAIT_NS
from alpamayo_ros.units import MS

__all__ = ['Arrival', 'Step', 'StepLimits', 'cut', 'form']


@runtime_checkable
class Timed(Protocol):
    """Anything with the time at which it was recorded; ``bag.BagMessage`` is one."""

    @property
    def time_ns(self) -> int:
        """When it was recorded [ns]."""
        ...


M = TypeVar('M', bound=Timed)


@dataclass(frozen=True, slots=True)
class StepLimits:
    """``wait_ns``: how long a set waits for its cameras; ``longest_ns``: one set period.

    ``hole_ns``: a recording without any message for so long was interrupted.
    """

    wait_ns: int = WAIT_NS
    longest_ns: int = SET_PERIOD_NS
    hole_ns: int = 5000 * MS


@dataclass(frozen=True, slots=True)
class Step(Generic[M]):
    """The messages recorded after ``begin_ns`` and up to ``end_ns``, in bag order."""

    index: int
    begin_ns: int
    end_ns: int
    messages: tuple[M, ...]


def cut(
    messages: Iterable[M],
    is_reference: Callable[[M], bool],
    limits: StepLimits | None = None,
) -> Iterator[Step[M]]:
    """The steps of a recording, lazily; messages are at most one step ahead of what is yielded.

    ``messages``: in the order of the bag; one that is older than those before it belongs to the
    step at hand.  ``is_reference``: whether it is an image of the camera whose time is t0.
    """
    limits = limits or StepLimits()
    source = iter(messages)
    ahead: deque[M] = deque()
    first = next(source, None)
    if first is None:
        return
    ahead.append(first)
    begin_ns, last_ns, index, more = first.time_ns - 1, first.time_ns, 0, True
    while ahead or more or begin_ns < last_ns + limits.wait_ns:
        more = more and _fill(ahead, source, begin_ns + limits.longest_ns + limits.wait_ns)
        waits = begin_ns < last_ns + limits.wait_ns
        if ahead and not waits and ahead[0].time_ns > begin_ns + limits.hole_ns:
            begin_ns = ahead[0].time_ns - 1
            continue
        end_ns = _end(ahead, is_reference, begin_ns, limits)
        taken = []
        while ahead and ahead[0].time_ns <= end_ns:
            taken.append(ahead.popleft())
            last_ns = max(last_ns, taken[-1].time_ns)
        yield Step(index, begin_ns, end_ns, tuple(taken))
        begin_ns, index = end_ns, index + 1


def _fill(ahead: deque[M], source: Iterator[M], until_ns: int) -> bool:
    """Read on past ``until_ns``; False when the recording is over."""
    while not ahead or ahead[-1].time_ns <= until_ns:
        item = next(source, None)
        if item is None:
            return False
        ahead.append(item)
    return True


def _end(
    ahead: Iterable[M], is_reference: Callable[[M], bool], begin_ns: int, limits: StepLimits
) -> int:
    """End of the step that begins at ``begin_ns``."""
    latest_ns = begin_ns + limits.longest_ns
    for item in ahead:
        if item.time_ns > latest_ns:
            break
        if is_reference(item):
            return max(item.time_ns, begin_ns) + limits.wait_ns
    return latest_ns
