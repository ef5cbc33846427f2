"""What is asked of every publication: are the words as true as those of the supervised model?

Held-out states of the run, the same for both models; truth is the annotator's text.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from alpamayo_ros import metrics
from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.reinforcement.answering import Answering
from alpamayo_ros.training.reinforcement.rewards import displacement
from alpamayo_ros.training.reinforcement.word_table import PAD, WordTable
from alpamayo_ros.training.stream.ring import Ring

BLOCK = 64  # states at once
GROUP = 50  # states in a row: mostly of one drive, so they count as one


@dataclass(frozen=True, slots=True)
class Marks:
    """Micro F1 of facts, agreement of words and plan (``metrics.agreement``), distance [m].

    ``wrong``: of each state how many facts are said and not so, or so and not said.
    """

    facts_f1: float
    agreement: float
    ade_m: float
    wrong: tuple[int, ...] = ()

    def less_true_than(self, other: Marks) -> bool:
        """Whether more facts are wrong, state by state, than chance explains (95 %).

        Of so few states that they are one group, whether more are wrong at all.
        """
        more = [float(a - b) for a, b in zip(self.wrong, other.wrong, strict=True)]
        groups = {str(k): more[k : k + GROUP] for k in range(0, len(more), GROUP)}
        found = metrics.mean_ci95(groups)
        return found is not None and (found.mean if found.low is None else found.low) > 0

    def named(self, ending: str = '') -> dict[str, float]:
        """As figures of the curve."""
        return {
            f'exam_facts_f1{ending}': round(self.facts_f1, 4),
            f'exam_agreement{ending}': round(self.agreement, 4),
            f'exam_ade_m{ending}': round(self.ade_m, 4),
        }


class Exam:
    """Asks the same questions of any model."""

    def __init__(self, ring: Ring, rows: int, table: WordTable, grammar: Grammar) -> None:
        """Takes the first ``rows`` samples with words out of the ring: whole drives but one.

        ConfigError where no sample has words.
        """
        known = ((ring.weight > 0) & (ring.rows['coc'][:, 0] != PAD)).nonzero()[:rows, 0]
        if not len(known):
            raise ConfigError(
                'no sample of the ring has words, so nothing can tell whether facts stay true: '
                'collect more first (first_rows), or take a profile whose grammar has words'
            )
        self._answering = Answering(table, grammar)
        self._blocks = [ring.gather(part) for part in known.split(BLOCK)]
        ring.weight[known] = 0

    @torch.no_grad()
    def marks(self, model: VLA) -> Marks:
        """How a model does."""
        counts, agreed, off = [], [], []
        dt_s = model.profile.trajectory.dt_s
        for number, b in enumerate(self._blocks):
            said, plans = self._answering.answers(model, b, number)
            for text, true, plan, speed in zip(
                said, self._answering.texts(b['coc']), plans[:, 0].cpu().numpy(), b['speed'],
                strict=True,
            ):  # fmt: skip
                truth = metrics.coc_facts(true)
                counts.append(metrics.facts_f1(metrics.coc_facts(text), truth))
                agreed.append(metrics.agreement(text, plan, float(speed), dt_s))
            off.append(displacement(plans[:, 0], b['plan']))
        known = [a for a in agreed if a is not None]
        mean = sum(known) / len(known) if known else 1.0
        wrong = tuple(invented + missing for _, invented, missing in counts)
        return Marks(metrics.f1(counts) or 0.0, mean, float(torch.cat(off).mean()), wrong)
