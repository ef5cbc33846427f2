"""What a speed does in the next 6 s, by the one rule of the truth and of the annotator.

Thresholds are annotation choices: they say when a person would use the word.
"""

from __future__ import annotations

STANDING_MPS = 0.5  # a speed below this counts as standing
CHANGE_MPS = 0.8  # from now to the middle of the horizon; less is keeping the speed
STOPPED_MPS, LAST = 0.4, 5  # mean speed over the last steps of the horizon, half a second


def speed_change(now_mps: float, middle_mps: float, end_mps: float) -> str:
    """Stop, wait, slow, keep or speed_up, as in ``words.INTENTS``.

    Standing at the end is a stop or a wait; else the change from now to the middle counts.
    ``end_mps``: the mean over the last ``LAST`` steps.
    """
    if now_mps < STANDING_MPS:
        return 'wait' if max(middle_mps, end_mps) < STANDING_MPS else 'speed_up'
    if end_mps < STOPPED_MPS:
        return 'stop'
    if abs(middle_mps - now_mps) <= CHANGE_MPS:
        return 'keep'
    return 'speed_up' if middle_mps > now_mps else 'slow'
