"""How long a recording lasts to a replay, which jumps over its holes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from alpamayo_ros.bags.bag import BagMessage
from alpamayo_ros.bags.outline import Outline
from alpamayo_ros.replay.steps import StepLimits
from alpamayo_ros.units import NS

HOLE_NS = StepLimits().hole_ns


def lasting_s(found: Outline, topics: Iterable[str]) -> float:
    """Seconds of the topics together, holes left out: a stray stamp adds no days."""
    times = [found.times_s[topic] for topic in topics if topic in found.times_s]
    gaps_s = np.diff(np.sort(np.concatenate(times))) if times else np.empty(0)
    return float(gaps_s[gaps_s <= HOLE_NS / NS].sum())


def first_of(messages: Iterable[BagMessage], limit_s: float) -> Iterator[BagMessage]:
    """The messages of the first ``limit_s`` seconds, holes not counted; 0 for all."""
    limit_ns, spent_ns, last_ns = round(limit_s * NS), 0, None
    for message in messages:
        gap_ns = 0 if last_ns is None else max(message.time_ns - last_ns, 0)
        spent_ns += gap_ns if gap_ns <= HOLE_NS else 0
        last_ns = message.time_ns if last_ns is None else max(last_ns, message.time_ns)
        if limit_ns and spent_ns > limit_ns:
            return
        yield message
