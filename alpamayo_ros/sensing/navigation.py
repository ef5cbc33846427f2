"""Navigation: instructions, routes and plain text, all in one closed wording for the model.

Untrusted words reach the model in one place only, the street name, and only when they look like
one: at most 48 Latin letters, digits and a few marks, and on the map's list where one is given.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

from alpamayo_ros.faults import Code, Fault

FOLLOW_TEXT = 'follow the road'
MAX_STREET = 48
MAX_PROMPT = 200
MAX_DISTANCE_M = 5000.0
BUCKETS_M = (5, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 250, 300, 400, 500)
NEAR_M = 3.0
# Words of letters and digits, joined by one mark or a mark and a space ('St. Mary’s Road').
_STREET = re.compile(r"[^\W_]+(?:[ .'’/-]{1,2}[^\W_]+)*\.?")
# Words of command never belong to a street: refused, not understood (docs/faults.md, row F29).
_COMMANDS = frozenset(
    (
        'ignore disregard accelerate faster brake drive speed run skip override disable forget '
        'pretend system assistant instructions must always never '
        'ignoriere ignorieren beschleunige fahre schneller bremse sofort niemals '
        'ignorez grillez accélérez roulez freinez vite jamais '
        'ignora ignorar acelera acelerar conduce frena nunca '
        'ignori accelera accelerare guida frenare mai'
    ).split()
)


class Maneuver(IntEnum):
    """The closed vocabulary of NavInstruction.msg."""

    FOLLOW = 0
    LEFT = 1
    RIGHT = 2
    STRAIGHT = 3
    U_TURN = 4
    MERGE_LEFT = 5
    MERGE_RIGHT = 6
    EXIT = 7
    STOP = 8


_WORDS = {
    Maneuver.FOLLOW: FOLLOW_TEXT,
    Maneuver.LEFT: 'turn left',
    Maneuver.RIGHT: 'turn right',
    Maneuver.STRAIGHT: 'go straight',
    Maneuver.U_TURN: 'make a U-turn',
    Maneuver.MERGE_LEFT: 'merge left',
    Maneuver.MERGE_RIGHT: 'merge right',
    Maneuver.EXIT: 'take the exit',
    Maneuver.STOP: 'stop',
}
_ORDINALS = ('', 'first ', 'second ', 'third ', 'fourth ', 'fifth ', 'sixth ')


@dataclass(frozen=True, slots=True)
class NavInstruction:
    """One manoeuvre.  ``distance_m`` along the route from the car, NaN where unknown."""

    maneuver: int
    distance_m: float = float('nan')
    street: str = ''
    exit_number: int = 0


def canonical(
    instruction: NavInstruction, streets: Collection[str] | None = None
) -> tuple[str, Fault | None]:
    """The wording for the model, and what was wrong.

    NAV_FORMAT: the instruction is refused, the wording is ``follow the road``.  NAV_STREET: only
    the street is dropped.  ``streets``: the map's own list; None where there is none.
    """
    fault = _check(instruction)
    if fault is not None:
        return FOLLOW_TEXT, fault
    maneuver = Maneuver(instruction.maneuver)
    if maneuver is Maneuver.FOLLOW:
        return FOLLOW_TEXT, None
    words = _WORDS[maneuver]
    if maneuver is Maneuver.EXIT:
        words = f'take the {_ORDINALS[instruction.exit_number]}exit'
    words += distance_words(instruction.distance_m)
    if not instruction.street or maneuver is Maneuver.STOP:
        return words, None
    street = clean_street(instruction.street, streets)
    if isinstance(street, Fault):
        return words, street
    return f'{words} onto {street}', None


def _check(instruction: NavInstruction) -> Fault | None:
    """NAV_FORMAT naming the field that is out of its bounds."""
    distance = instruction.distance_m
    problem = ''
    if instruction.maneuver not in Maneuver.__members__.values():
        problem = f'maneuver {instruction.maneuver} is none of 0 to {max(Maneuver)}'
    elif not (math.isnan(distance) or 0.0 <= distance <= MAX_DISTANCE_M):
        problem = f'distance {distance:g} m is not within 0 to {MAX_DISTANCE_M:g} m'
    elif len(instruction.street) > MAX_STREET:
        problem = f'street of {len(instruction.street)} characters, at most {MAX_STREET}'
    elif not 0 <= instruction.exit_number < len(_ORDINALS):
        problem = f'exit {instruction.exit_number} is not within 0 to {len(_ORDINALS) - 1}'
    return Fault(Code.NAV_FORMAT, problem, {}) if problem else None


def distance_words(distance_m: float) -> str:
    """``in 80 m``: the nearest of ``BUCKETS_M``; ``now`` below 3 m; '' where unknown or far."""
    if math.isnan(distance_m) or distance_m > 1.2 * BUCKETS_M[-1]:
        return ''
    if distance_m < NEAR_M:
        return ' now'
    return f' in {min(BUCKETS_M, key=lambda b: abs(b - distance_m))} m'


def clean_street(street: str, streets: Collection[str] | None = None) -> str | Fault:
    """The street as it may stand in the wording, or NAV_STREET: by class, length and list."""
    if len(street) > MAX_STREET:
        return Fault(Code.NAV_STREET, f'{len(street)} characters, at most {MAX_STREET}', {})
    text = unicodedata.normalize('NFC', street).strip()
    if not _STREET.fullmatch(text) or not all(_allowed(c) for c in text):
        return Fault(Code.NAV_STREET, f'{ascii(text)} holds characters that no street has', {})
    words = re.split(r"[ .'’/-]+", text.casefold())
    commands = [w for w in words if w in _COMMANDS]
    if commands or len(words) > 6 or (streets is None and _sentence(text)):
        return Fault(Code.NAV_STREET, f'{ascii(text)} reads like a sentence', {})
    if streets is not None and text not in streets:
        return Fault(Code.NAV_STREET, f'{ascii(text)} is not on the map', {})
    return text


def _allowed(character: str) -> bool:
    """Latin letters, digits and the marks of street names; no control, format or wide forms."""
    if character in " .'’/-":
        return True
    if character.isascii():
        return character.isalnum()
    return unicodedata.name(character, '').startswith('LATIN ') and character.isalpha()


def _sentence(text: str) -> bool:
    """Whether more than two words in a row begin small: names of streets are capitalised."""
    small = [word[0].islower() for word in text.split() if word[0].isalpha()]
    return sum(small) > 2 or (len(small) > 0 and all(small))


def clean_prompt(text: str) -> tuple[str, Fault | None]:
    """A free wish as it may be tokenised, special tokens off: printable, one line, 200 characters.

    Longer text is cut and reported as PROMPT_FORMAT; control and format characters are dropped.
    """
    cut = text[: 4 * MAX_PROMPT]
    printable = ''.join(c if c.isprintable() else ' ' for c in cut)
    words = ' '.join(printable.split())
    short = words[:MAX_PROMPT].rstrip()
    if len(text) > len(cut) or len(words) > MAX_PROMPT:
        message = f'{len(text)} characters were cut to {len(short)}'
        return short, Fault(Code.PROMPT_FORMAT, message, {'length': float(len(text))})
    return short, None
