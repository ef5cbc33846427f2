"""What words can score: ``python tools/word_ceiling.py --split val --seeds 0``.

The expert drives and says what the annotator says of its plan: the words that models are taught.
Their facts F1 and agreement are the ceiling of every model's; where it is low, the rule by which
words are judged is at fault, or the annotator.  Instants without words, whose cause no picture
shows, count as facts left unsaid.  ``--say`` lets it say always the same instead: what words are
worth that look at nothing.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import typer

from alpamayo_ros import metrics
from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.profile import ModelProfile, load_profile
from alpamayo_ros.simulation.batch.drive_process import drive
from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.batch.suite import templates
from alpamayo_ros.simulation.drive.drive import Options
from alpamayo_ros.simulation.drive.planners import ExpertPlanner
from alpamayo_ros.simulation.drive.visibility import seen_pixels
from alpamayo_ros.simulation.driving_wish import PLAIN
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.simulation import STEP_NS
from alpamayo_ros.training.annotation.instant import facts_of, phrases, written
from alpamayo_ros.training.vocabulary import run_vocabulary
from alpamayo_ros.types import PlannerInput, Proposal

MODEL = Path(__file__).resolve().parents[1] / 'models' / 'nano'  # whose vocabulary it is


class Annotator(ExpertPlanner):
    """The expert, with the words of the annotator of ``grammar``."""

    name, blind = 'annotator', False

    def __init__(self, profile: ModelProfile, grammar: Grammar, say: str = '') -> None:
        super().__init__(profile)
        self._grammar, self._say = grammar, say

    def propose(self, inputs: PlannerInput) -> Proposal:
        """The expert's plan with its words."""
        sim, form = self._sim, self.profile.trajectory
        if sim is None:
            raise RuntimeError('the expert plans for a drive that it has begun')
        plan = expert.plan(sim, form)
        many = np.repeat(plan[None], self.profile.candidates, 0)
        if self._say:
            return Proposal(inputs.t0_ns, many, self._say)
        rng = np.random.default_rng([sim.seed, sim.now_ns // STEP_NS])
        pixels, spec = seen_pixels(sim, sim.images()), self._grammar.spec
        said = phrases(sim, spec, facts_of(sim), plan, form.dt_s, pixels, PLAIN, rng)[0]
        text = 'perception: nothing' if said is None else written(spec, said)
        return Proposal(inputs.t0_ns, many, text)


def main(
    split: str = 'val',
    seeds: str = '0',
    only: str = '',
    model: Path = MODEL,
    say: str = '',
    out: Path | None = None,
) -> None:
    """Drive a split once a seed and print counts by subject; ``only``: templates by name."""
    profile = load_profile('nano')
    planner = Annotator(profile, run_vocabulary(profile, model), say)
    names, total = set(only.split(',')) - {''}, dict.fromkeys(metrics.FACTS, (0, 0, 0))
    agreed: list[float] = []
    for scenario in templates(split):
        for seed in map(int, seeds.split(',')):
            if names and scenario.name not in names:
                continue
            row = drive(Job(scenario, seed), planner, Options())
            agreed += [row['agreement']] if row['agreement'] is not None else []
            for name, counts in row['coc_facts_by'].items():
                total[name] = tuple(np.add(total[name], counts).tolist())
            print(scenario.name, seed, row['coc_facts_f1'], row['agreement'], flush=True)
    found = {name: metrics.f1([counts]) for name, counts in total.items()}
    found |= {'all': metrics.f1(total.values()), 'agreement': float(np.mean(agreed))}
    print(json.dumps({'f1': found, 'counts': total}, indent=1))
    if out is not None:
        out.write_text(json.dumps({'f1': found, 'counts': total}))


if __name__ == '__main__':
    typer.run(main)
