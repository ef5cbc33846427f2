"""When words are decoded: for every plan, kept for some time, or once the plan is out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.types import Conditioning
from alpamayo_ros.units import NS

CONCURRENT_S = 0.5  # older words than a plan may be old condition none


@dataclass(frozen=True, slots=True)
class WordMode:
    """``every_s``: words younger than that are kept and condition the plan as they are.

    0: every cycle decodes its own.  ``concurrent``: words of the cycle before condition the plan;
    where they would be others now, those are decoded once the plan is out.
    """

    every_s: float = 0.0
    concurrent: bool = False

    def older(self, grammar: Grammar, given: Conditioning) -> tuple[int, ...] | None:
        """The words of the cycle before as tokens, where they are young enough for this plan."""
        age_s = (given.ego.t0_ns - given.previous_t0_ns) / NS
        young = 0.0 < age_s < (CONCURRENT_S if self.concurrent else self.every_s)
        return grammar.parse(given.previous_text) if young and given.previous_text else None


SEQUENTIAL = WordMode()


@runtime_checkable
class HasWordMode(Protocol):
    """A runtime that decodes words by itself, one pass of the backbone after another."""

    word_mode: WordMode
