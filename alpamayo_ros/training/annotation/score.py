"""Words of version 2 against the truth of an instant: facts, and whether what binds is named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from alpamayo_ros.metrics import FactCounts, f1
from alpamayo_ros.training.annotation.chain import SLOTS, Annotation

ALONE = ('road', 'sight', 'place', 'situation', 'instruction', 'binding', 'speed', 'path')


@dataclass(frozen=True, slots=True)
class Score:
    """Counts by subject (``objects`` and each slot of one value); ``named`` None: nobody binds."""

    counts: dict[str, FactCounts]
    named: bool | None


def score(said: dict[str, str], true: Annotation) -> Score:
    """What a text says (``grammar.values``) against the annotator's chain of the same instant."""
    claims, truth = ({found[s] for s in SLOTS} - {'none'} for found in (said, true.values))
    hits = len(claims & truth)
    counts = {'objects': FactCounts(hits, len(claims) - hits, len(truth) - hits)}
    for name in ALONE:
        same = said[name] == true.values[name]
        counts[name] = FactCounts(int(same), int(not same), int(not same))
    cause = true.bound.cause
    if not cause.ids or true.bound.hidden:
        return Score(counts, None)
    return Score(counts, said['binding'] == cause.name)


def summary(scores: Iterable[Score]) -> dict[str, float | None]:
    """F1 by subject, and the share of instants whose binding object is named."""
    every = list(scores)
    found: dict[str, float | None] = {
        name: f1([s.counts[name] for s in every]) for name in ('objects', *ALONE)
    }
    named = [s.named for s in every if s.named is not None]
    found['binding_named'] = sum(named) / len(named) if named else None
    return found
