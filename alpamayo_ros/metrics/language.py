"""The chain of causation against reference text and against the truth."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from alpamayo_ros.metrics.words import COUNTERFACTUAL, clauses, split, stated_intent

FACTS = ('light', 'lead', 'pedestrian', 'manoeuvre')
_NOT_A_WORD = re.compile(r'[^a-z0-9]+')
_VEHICLE = r'(?:lead(?:ing)? )?(?:vehicle|car|truck|bus|van|leader)'
_LIGHT = re.compile(
    r'\b(red|yellow|amber|green) (?:traffic )?(?:light|signal)\b'
    r'|\b(?:light|signal) (?:ahead )?(?:is|turns|shows) (red|yellow|amber|green)\b'
)
_LEAD = re.compile(
    rf'\b(?:{_VEHICLE} ahead|lead(?:ing)? (?:vehicle|car|truck)|leader'
    rf'|(?:behind|following|closing on) (?:a |the )?(?:\w+ )?{_VEHICLE})\b'
)
_STATES = tuple(
    (name, re.compile(rf'\b(?:{words}) {_VEHICLE}\b'))
    for name, words in (
        ('standing', 'standing|stopped|stationary'),
        ('braking', 'braking'),
        ('moving', 'moving'),
    )
)
_PERSON = re.compile(r'\b(?:pedestrian|person|child|people|children)s?\b')
_CROSSING = re.compile(r'\bcross(?:ing|es)\b')


def words(text: str) -> list[str]:
    """Lower-case runs of a-z and 0-9, as rouge-score's default tokeniser without stemming."""
    return _NOT_A_WORD.sub(' ', text.lower()).split()


def _common(a: list[str], b: list[str]) -> int:
    """Length of the longest common subsequence, row by row."""
    row = [0] * (len(b) + 1)
    for word in a:
        diagonal = 0
        for j, other in enumerate(b, 1):
            above = row[j]
            row[j] = diagonal + 1 if word == other else max(above, row[j - 1])
            diagonal = above
    return row[-1]


def rouge_l(text: str, reference: str) -> float | None:
    """ROUGE-L F1, 0 to 1: longest common subsequence of words (Lin 2004, section 3.1, beta 1).

    One sequence over the whole text, no stemming.  None where the reference has no word.
    """
    said, wanted = words(text), words(reference)
    if not wanted:
        return None
    common = _common(said, wanted)
    return 2 * common / (len(said) + len(wanted))


def coc_facts(text: str) -> dict[str, set[str]]:
    """What a text claims, by subject.

    ``light`` (red, yellow, green), ``lead`` (present; standing, braking, moving), ``pedestrian``
    (present; crossing) and ``manoeuvre`` (names of ``words.INTENTS``).  A denied thing ('no
    vehicle ahead') is not a claim: an absence cannot be scored as a hit.
    """
    parts = split(text)
    claims = (v for k, v in parts.items() if k not in ('intent', COUNTERFACTUAL))
    seen = '\n'.join(claims) if parts else text
    facts: dict[str, set[str]] = {name: set() for name in FACTS}
    for clause in clauses(seen):
        for found in _LIGHT.finditer(clause):
            facts['light'].add((found[1] or found[2]).replace('amber', 'yellow'))
        if _LEAD.search(clause):
            facts['lead'] |= {'present'} | {n for n, s in _STATES if s.search(clause)}
        if _PERSON.search(clause):
            facts['pedestrian'] |= {'present'} | ({'crossing'} & {_crossing(clause)})
    facts['manoeuvre'] = stated_intent(text)
    return facts


def _crossing(clause: str) -> str:
    return 'crossing' if _CROSSING.search(clause) else ''


class FactCounts(NamedTuple):
    """Claims that hold, claims that do not, and truths left unsaid; may be summed."""

    tp: int
    fp: int
    fn: int


def _as_set(key: str, value: str | Collection[str] | None) -> set[str]:
    found = {value} if isinstance(value, str) else set(value or ())
    found -= {'', 'none'}
    return found | {'present'} if found and key in ('lead', 'pedestrian') else found


def facts_f1(
    said: Mapping[str, str | Collection[str] | None],
    true: Mapping[str, str | Collection[str] | None],
    hidden: Mapping[str, str | Collection[str] | None] | None = None,
) -> FactCounts:
    """Counts of claimed against true facts; a key that ``true`` lacks is not judged.

    Values: a name, several, or None / 'none' / empty for 'there is none'.  A state of a leader
    or pedestrian implies its presence.  ``hidden``: what holds of that which cannot be seen; a
    claim of it is neither right nor wrong.
    """
    tp = fp = fn = 0
    for key in true:
        claims, truth = _as_set(key, said.get(key)), _as_set(key, true[key])
        tp += len(claims & truth)
        fp += len(claims - truth - _as_set(key, (hidden or {}).get(key)))
        fn += len(truth - claims)
    return FactCounts(tp, fp, fn)


def facts_by_subject(
    said: Mapping[str, str | Collection[str] | None],
    true: Mapping[str, str | Collection[str] | None],
    hidden: Mapping[str, str | Collection[str] | None] | None = None,
) -> dict[str, FactCounts]:
    """``facts_f1`` of each subject that ``true`` has."""
    return {key: facts_f1(said, {key: value}, hidden) for key, value in true.items()}


def f1(counts: Iterable[tuple[int, int, int]]) -> float | None:
    """2 tp / (2 tp + fp + fn) over summed counts (micro F1); None without any fact."""
    tp = fp = fn = 0
    for a, b, c in counts:
        tp, fp, fn = tp + a, fp + b, fn + c
    return 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else None
