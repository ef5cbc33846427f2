"""Words on their way to a released model and back; none is invented on either."""

from __future__ import annotations

import re

TURN = re.compile(r'turn (left|right)(?: in (\d+) m| (now))?(?: onto (.+))?')
STRAIGHT = re.compile(r'go straight(?: .*)?')
# A sentence of the model says what it does, then why: the first of these begins the reason.
REASON = re.compile(
    r',? (?:because|since|as|due to)\b'
    r'|,? (?=to (?:avoid|yield|keep|maintain|allow|give|clear|make|prepare|pass)\b)'
)


def instruction_words(canonical: str) -> str:
    """``sensing.navigation``'s wording as the checkpoint was shown it; '' where it has none.

    Turns are ``Turn left in 40m`` and ``Turn right onto Elm Street in 100m``; straight on is
    ``Continue straight``, whose distance is not said.  Whatever else is asked for has no image
    in the vendor's public code: the prompt then has no instruction.
    """
    if STRAIGHT.fullmatch(canonical):
        return 'Continue straight'
    found = TURN.fullmatch(canonical)
    if found is None:
        return ''
    way, far_m, now, street = found.groups()
    onto = f' onto {street}' if street else ''
    distance = f' in {far_m}m' if far_m else ' in 0m' if now else ''
    return f'Turn {way}{onto}{distance}'


def parts(sentence: str) -> str:
    """One sentence as ``rationale`` and, up to where its reason begins, as ``intent``.

    Perception and situation are absent, because the model does not say them apart.
    """
    said = ' '.join(sentence.split())
    if not said:
        return ''
    reason = REASON.search(said)
    intent = said[: reason.start()] if reason and reason.start() else said
    return f'rationale: {said}\nintent: {intent}'
