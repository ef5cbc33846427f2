"""Whether words that were said in a simulated drive were so: claims against what was true then.

The simulator kept it (``recording.scene_facts``), by the facts and thresholds that score a drive's
words in closed loop (``simulation.drive.facts``).
"""

from __future__ import annotations

import re

from alpamayo_ros import metrics
from alpamayo_ros.recording import events, scene_facts
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.recording.scene_facts import SceneFacts

GAP_M = 5.0  # half the step of the distances that the grammar knows beyond 30 m
STRAIGHT_1PM = 1 / 100  # sharper is seen as a bend
GAP = re.compile(r'\b(?:vehicle|car) ahead at (\d+) m\b')
BEND = re.compile(r'\bbends? (?:sharply )?(left|right)\b|\b(left|right) bend\b')


class WordTruth:
    """Judges the words of one recording."""

    def __init__(self, recording: Recording) -> None:
        self._facts = scene_facts.read(recording.folder)

    @property
    def can_tell(self) -> bool:
        """Whether what words are judged by was kept: by the simulator, of a drive that ended."""
        return bool(self._facts)

    def holds(self, words: events.Words) -> bool:
        """Every claim is true and no fact is left out.

        False too where nobody can tell: nothing was kept, or the drive ended within 6 s.
        """
        facts = self._facts.get(words.t0_ns)
        if facts is None or 'manoeuvre' not in facts.true:
            return False
        said = '\n'.join(f'{part}: {getattr(words, part)}' for part in metrics.PARTS)
        counts = metrics.facts_f1(metrics.coc_facts(said), facts.true, facts.unjudged)
        return counts.fp == 0 and counts.fn == 0 and _of_the_road(words.perception, facts)


def _of_the_road(perception: str, facts: SceneFacts) -> bool:
    """What is said of bends and of the gap fits; what is not said fits too."""
    gap = GAP.search(perception)
    if gap and (facts.gap_m is None or abs(float(gap[1]) - facts.gap_m) > GAP_M):
        return False
    if 'straight' in perception:
        return abs(facts.bend_1pm) < STRAIGHT_1PM
    side = BEND.search(perception)
    return side is None or (facts.bend_1pm > 0) == ('left' in side.groups())
