"""Recorded decisions taken again: the same function, the same inputs, and are the bytes the same?

The same machine and version give the same bits.  Another version of numpy or another processor
may round otherwise, and then the answer says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from alpamayo_ros import pipeline
from alpamayo_ros.incident.decision_record import DecisionRecord, answer
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.decision import Decision
from alpamayo_ros.safety.state import SafetyState

UNFIT = (
    ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, TypeError,
    ValueError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Again:
    """A recorded decision and what ``decide`` says now.

    ``decision`` None: the state before it is not known, since the record before it is missing.
    ``same``: the answer has the recorded bytes.
    """

    record: DecisionRecord
    decision: Decision | None
    same: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """How many decisions were the ``same``, ``other`` than recorded, or ``unknown``.

    ``missing``: between the first and the last, by their sequence.
    """

    same: int
    other: int
    unknown: int
    missing: int

    @property
    def whole(self) -> bool:
        """Whether there is a decision, and none is other than recorded or missing."""
        return self.same > 0 and self.other == 0 and self.missing == 0


def tally(again: Iterable[Again]) -> Tally:
    """Counts of a reproduction."""
    found = list(again)
    unknown = sum(a.decision is None for a in found)
    same = sum(a.same for a in found)
    numbers = [a.record.health.sequence for a in found]
    missing = sum(max(0, after - before - 1) for before, after in pairwise(numbers))
    return Tally(same, len(found) - unknown - same, unknown, missing)


def reproduce(records: Iterable[DecisionRecord]) -> Iterator[Again]:
    """Decide again, in the order of the recording; ValueError where a record cannot be decided.

    The state after a decision is that of the one taken here, so an error would not stay hidden.
    """
    known: tuple[SafetyState, PlanConfig] | None = None
    sequence = -1
    for record in records:
        if record.state is not None and record.config is not None:
            known = record.state, record.config
        elif record.health.sequence != sequence + 1:
            known = None
        sequence = record.health.sequence
        if known is None:
            yield Again(record, None, False)
            continue
        decision = _decide(record, *known)
        yield Again(record, decision, answer(decision) == record.answer)
        known = decision.state, known[1]


def _decide(record: DecisionRecord, state: SafetyState, config: PlanConfig) -> Decision:
    try:
        return pipeline.decide(record.proposal, record.scene, state, config, record.now_ns)
    except UNFIT as error:
        text = f'decision {record.health.sequence} cannot be taken again: {error}'
        raise ValueError(text) from error
