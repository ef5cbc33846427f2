"""The words of a chain of causation: its parts, and what its intent announces.  No ROS, no model.

The words are the model's and untrusted: nothing here ever changes a plan.
"""

from __future__ import annotations

import re

PARTS = ('perception', 'situation', 'rationale', 'intent')
COUNTERFACTUAL = 'counterfactual'  # a fifth part, of version 2: what would be done otherwise

_NEAR = '.{0,60}?'  # further on belongs to something else; without a bound it is quadratic
# What an intent may announce, and the words that do.  A clause with a negation announces nothing.
INTENTS: tuple[tuple[str, str], ...] = (
    ('stop', r'\bstop(?:ping)?\b(?! (?:sign|line))'),
    ('wait', r'\bwait(?:ing)?\b|\bremain stopped\b|\bstay stopped\b'),
    ('slow', r'\bslow(?:ing)? down\b|\bbrak(?:e|ing)\b|\bdecelerat(?:e|ing)\b|\bgive way\b'),
    ('keep', r'\b(?:keep|maintain)(?:ing)? (?:the |this )?speed\b'),
    ('speed_up', r'\bspeed(?:ing)? up\b|\baccelerat(?:e|ing)\b|\bdrive on\b'),
    ('left', r'\b(?:turn|bear)(?:ing)? (?:sharp(?:ly)? )?left\b|\bleft turn\b'),
    ('right', r'\b(?:turn|bear)(?:ing)? (?:sharp(?:ly)? )?right\b|\bright turn\b'),
    ('lane_change_left', rf'\b(?:chang|mov|merg)\w*\b{_NEAR}\bleft\b|\bleft lane change\b'),
    ('lane_change_right', rf'\b(?:chang|mov|merg)\w*\b{_NEAR}\bright\b|\bright lane change\b'),
)
_INTENTS = tuple((name, re.compile(words)) for name, words in INTENTS)
_NEGATION = re.compile(r"\b(?:no|not|never|without|nothing|nobody)\b|n't\b")
_BREAK = re.compile(r'[,.;\n]|\band\b|\bbut\b|\bthen\b')


def split(text: str) -> dict[str, str]:
    """The parts of ``text`` by name, from lines ``name: ...``; a missing part is absent."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, rest = line.partition(':')
        if colon and name.strip() in (*PARTS, COUNTERFACTUAL) and name.strip() not in found:
            found[name.strip()] = rest.strip()
    return found


def clauses(text: str) -> list[str]:
    """Lower-case clauses of a text that claim something; those with a negation are left out."""
    return [c.strip() for c in _BREAK.split(text.lower()) if c.strip() and not _NEGATION.search(c)]


def stated_intent(text: str) -> set[str]:
    """What the ``intent`` part announces: any of the names of ``INTENTS``.

    A text without any ``name: ...`` line is taken as the intent itself.
    """
    parts = split(text)
    intent = parts.get('intent', '') if parts else text
    said = clauses(intent)
    return {name for name, words in _INTENTS if any(words.search(clause) for clause in said)}
