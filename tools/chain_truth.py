"""Is what a driver says of its reasons so: ``python tools/chain_truth.py --split val --seeds 0``.

A model drives a split, and every half second the annotator says what binds a good driver's plan in
this very state: is that named?  And what the model says that it would do otherwise: the expert is
asked under the same condition.  Words are read as values of the grammar (version 2).  A run is a
template and a seed, intervals are 95 % over templates.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from alpamayo_ros import metrics
from alpamayo_ros.cli.sim import parse_seeds
from alpamayo_ros.cli.working import working
from alpamayo_ros.faults import Fault
from alpamayo_ros.metrics import FactCounts
from alpamayo_ros.model.grammar import GrammarSpec, values
from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.batch.suite import SuiteError, templates
from alpamayo_ros.simulation.drive.drive import rollout
from alpamayo_ros.simulation.drive.planners import Planner, open_planner
from alpamayo_ros.simulation.drive.visibility import seen_pixels
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.annotation.binding import Question
from alpamayo_ros.training.annotation.chain import annotation
from alpamayo_ros.training.annotation.claimed import outcome
from alpamayo_ros.training.annotation.score import score
from alpamayo_ros.training.grammar_file import load_spec
from alpamayo_ros.types import PlannerInput, Proposal

EVERY_CALLS = 5
NOT_THERE = 'not there'  # what a condition is about
Label = dict[str, str]


@dataclass(slots=True)
class Said:
    """What was asked about in the runs of one template, a value an instant.

    ``named``: whether the object that binds is, None where none does or nobody can see it.
    ``condition`` and ``counterfactual``: whether what the condition is about is there, and whether
    the expert would then do what the words say.
    """

    objects: list[FactCounts] = field(default_factory=list)
    named: list[bool | None] = field(default_factory=list)
    condition: list[bool] = field(default_factory=list)
    counterfactual: list[bool] = field(default_factory=list)
    claimed: list[Label] = field(default_factory=list)


def main(
    split: Annotated[str, typer.Option(help='Split or family of the suite.')] = 'val',
    seeds: Annotated[str, typer.Option(help='As of alpamayo sim.')] = '0',
    only: Annotated[str, typer.Option(help='Templates, by commas; all.')] = '',
    model: Annotated[str | None, typer.Option(help='Folder of a model; default: nano.')] = None,
    profile: Annotated[str, typer.Option(help='Its profile.')] = 'nano',
    out: Annotated[
        Path | None, typer.Option('--json', dir_okay=False, help='Write every instant.')
    ] = None,
) -> None:
    """Drive, ask the annotator, count."""
    chosen, names = parse_seeds(seeds), set(only.split(',')) - {''}
    try:
        worlds = [w for w in templates(split) if not names or w.name in names]
        made = load_profile(profile)
        planner = open_planner('onnx', made, model)
    except (ConfigError, SuiteError) as error:
        raise typer.BadParameter(str(error)) from None
    if isinstance(planner, Fault):
        raise typer.BadParameter(str(planner))
    spec = load_spec(made.text.grammar)
    if spec.version != 2:
        raise typer.BadParameter(f'{made.text.grammar} names no reasons; expected version 2')
    if unknown := names - {w.name for w in worlds}:
        raise typer.BadParameter(f'no {", ".join(sorted(unknown))} in {split}')
    asking = Asking(planner, spec)
    drives = [(world, seed) for world in worlds for seed in chosen]
    with working('drives') as tell:
        for done, (world, seed) in enumerate(drives, 1):
            rollout(world, seed, asking)
            tell(done / len(drives))
    for line in lines(asking.found):
        typer.echo(line)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps({n: asdict(s) for n, s in asking.found.items()}) + '\n')


class Asking:
    """A planner whose words are held against the annotator's, every half second."""

    def __init__(self, planner: Planner, spec: GrammarSpec) -> None:
        self._planner, self.profile, self.blind = planner, planner.profile, False
        self.name, self.manifest_sha256 = planner.name, planner.manifest_sha256
        self.found: dict[str, Said] = {}
        self._spec, self._sim, self._calls = spec, None, 0

    _sim: Simulation | None

    def begin(self, sim: Simulation) -> None:
        """A new drive; the simulation is kept for the annotator alone."""
        self._planner.begin(sim)
        self._sim, self._calls = sim, 0

    def propose(self, inputs: PlannerInput) -> Proposal:
        """What the planner says; now and then it is looked at."""
        proposal = self._planner.propose(inputs)
        self._calls += 1
        said = values(self._spec, proposal.text)
        if self._calls % EVERY_CALLS == 1 and said is not None and self._sim is not None:
            self._judge(said, self._sim)
        return proposal

    def _judge(self, said: Label, sim: Simulation) -> None:
        form = self.profile.trajectory
        plan = expert.plan(sim, form)
        true = annotation(sim, plan, form.dt_s, seen_pixels(sim, sim.images()))
        would = outcome(Question(sim), true, said['if'])
        found, row = score(said, true), self.found.setdefault(sim.scenario.name, Said())
        row.objects.append(found.counts['objects'])
        row.named.append(found.named)
        row.condition.append(would is not None)
        row.counterfactual.append(would == said['would'])
        row.claimed.append({
            'binding': said['binding'], 'binds': true.values['binding'],
            'if': said['if'], 'would': said['would'], 'expert': would or NOT_THERE,
        })  # fmt: skip


def lines(found: dict[str, Said]) -> list[str]:
    """What is printed."""
    named = {n: [None if v is None else float(v) for v in s.named] for n, s in found.items()}
    there = {n: list(map(float, s.condition)) for n, s in found.items()}
    right = {n: list(map(float, s.counterfactual)) for n, s in found.items()}
    rows = {
        'the object that binds is named': metrics.mean_ci95(named),
        'objects and their states, F1': metrics.f1_ci95({n: s.objects for n, s in found.items()}),
        'counterfactual: its condition is about what is there': metrics.mean_ci95(there),
        'counterfactual: the expert would do so': metrics.mean_ci95(right),
    }
    asked = sum(len(s.named) for s in found.values())
    bound = sum(v is not None for s in found.values() for v in s.named)
    head = f'{asked} instants of {len(found)} templates; an object that is seen binds in {bound}'
    told = [f'{name}: {_told(interval)}' for name, interval in rows.items()]
    return [head, told[0], *_by_object(found), *told[1:]]


def _by_object(found: dict[str, Said]) -> list[str]:
    """How often each object that binds is named, the best named first; one line, or none."""
    by: dict[str, list[bool]] = defaultdict(list)
    for said in found.values():
        for named, label in zip(said.named, said.claimed, strict=True):
            if named is not None:
                by[label['binds']].append(named)
    shares = sorted(((sum(v) / len(v), len(v), name) for name, v in by.items()), reverse=True)
    return ['  ' + ', '.join(f'{n} {s:.2f} of {size}' for s, size, n in shares)] if by else []


def _told(found: metrics.Interval | None) -> str:
    if found is None:
        return 'n/a'
    ends = '' if found.low is None else f' ({found.low:.3f} to {found.high:.3f})'
    return f'{found.mean:.3f}{ends}'


if __name__ == '__main__':
    typer.run(main)
