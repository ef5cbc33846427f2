"""Does the car go where the words say: ``python tools/instructions.py --model models/nano``.

A model drives towns, and before every junction it is told to turn left, to go straight and to turn
right on the very same pictures; counted is where the plans that move end.  Beside it: how far the
eight candidates are from the expert's plan, and the best of them.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from alpamayo_ros.cli.common.apart import apart, driving
from alpamayo_ros.cli.sim import parse_seeds
from alpamayo_ros.cli.working import working
from alpamayo_ros.preflight import check_model
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.navigation import Maneuver, NavInstruction, canonical
from alpamayo_ros.simulation.batch import batch
from alpamayo_ros.simulation.batch.drive_process import answer
from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.batch.task import Task
from alpamayo_ros.simulation.drive.drive import Options, rollout
from alpamayo_ros.simulation.drive.planners import Planner
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.types import PlannerInput, Proposal

TURNS = {'left': Maneuver.LEFT, 'straight': Maneuver.STRAIGHT, 'right': Maneuver.RIGHT}
EVERY_CALLS, NEAR_M, AT_LINE_M, STANDS_M = 5, 40.0, 10.0, 1.0
MOVES_M, TURNED_DEG = 8.0, 15.0  # way of a plan that says where it goes; its heading at the end
DRIVES = 'left_after_red,signal_red_then_green'
WORKER = '--worker'  # this file is also the process that drives, see simulation.batch
PROGRAM = (str(Path(__file__).resolve()), WORKER)


@dataclass(frozen=True, slots=True)
class Instant:
    """One instant before a junction: each turn's way [m] and heading at its end [deg].

    ``best_m`` and ``mean_m``: distance of the candidates from the expert's plan; None where all
    of them stand.
    """

    drive: str
    left_m: float
    ways_m: dict[str, float]
    headings_deg: dict[str, float]
    best_m: float | None
    mean_m: float | None

    def goes(self, turn: str) -> bool | None:
        """Whether the plan goes where it was told; None where it does not move."""
        if self.ways_m[turn] < MOVES_M or self.left_m > AT_LINE_M:
            return None
        heading = self.headings_deg[turn]
        found = 'straight' if abs(heading) < TURNED_DEG else 'left' if heading > 0 else 'right'
        return found == turn


def main(
    model: Annotated[str | None, typer.Option(help='Folder of a model; default: nano.')] = None,
    profile: Annotated[str, typer.Option(help='Its profile.')] = 'nano',
    scenarios: Annotated[str, typer.Option(help='Towns, by commas.')] = DRIVES,
    seeds: Annotated[str, typer.Option(help='As of alpamayo sim.')] = '100:103',
    out: Annotated[
        Path | None, typer.Option('--json', dir_okay=False, help='Write every instant.')
    ] = None,
) -> None:
    """Ask before every junction, and count."""
    chosen = parse_seeds(seeds)
    try:
        worlds = [load_scenario(name) for name in scenarios.split(',')]
        check_model('onnx', load_profile(profile), model or '')
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from None
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
    task = Task('', profile=profile, model=model or '')
    drives = [Job(world, seed) for world in worlds for seed in chosen]
    with driving('instructions'), working('drives') as tell:
        share = count(1)
        how = apart(task, PROGRAM, lambda job, row: tell(next(share) / len(drives)))
        rows, _ = batch.drive(task, drives, how)
    found = [Instant(**one) for row in rows for one in row['instants']]
    for line in lines(found):
        typer.echo(line)
    if out is not None:
        out.write_text(json.dumps([asdict(one) for one in found]) + '\n')


def asked(job: Job, planner: Planner, options: Options) -> dict[str, Any]:
    """What a drive's instants showed; in a process of its own."""
    asking = Asking(planner)
    rollout(job.scenario, job.seed, asking, options)
    return {'instants': [asdict(one) for one in asking.found]}


class Asking:
    """A planner asked three times more before a junction; it drives by the first answer."""

    def __init__(self, planner: Planner) -> None:
        self._planner, self.profile, self.blind = planner, planner.profile, planner.blind
        self.name, self.manifest_sha256 = planner.name, planner.manifest_sha256
        self.found: list[Instant] = []
        self._sim: Simulation | None = None
        self._drive, self._calls = '', 0

    def begin(self, sim: Simulation) -> None:
        """A new drive; the simulation is kept for the expert alone."""
        self._planner.begin(sim)
        self._sim, self._drive, self._calls = sim, f'{sim.scenario.name}_{sim.seed}', 0

    def propose(self, inputs: PlannerInput) -> Proposal:
        """What the planner says to the true instruction; every half second, to others too."""
        proposal = self._planner.propose(inputs)
        self._calls += 1
        left_m = to_junction_m(inputs.given.navigation)
        if self._calls % EVERY_CALLS == 1 and left_m is not None and left_m <= NEAR_M:
            self.found.append(self._asked(inputs, proposal, left_m))
        return proposal

    def _asked(self, inputs: PlannerInput, proposal: Proposal, left_m: float) -> Instant:
        assert self._sim is not None
        ways, headings = {}, {}
        for turn, maneuver in TURNS.items():
            words, _ = canonical(NavInstruction(maneuver, left_m))
            given = replace(inputs.given, navigation=words)
            told = self._planner.propose(replace(inputs, given=given))
            ways[turn], headings[turn] = end_of(told.candidates.mean(0))
        truth = expert.plan(self._sim, self.profile.trajectory)
        off = np.linalg.norm((proposal.candidates - truth)[..., :2], axis=-1).mean(1)
        moves = max(end_of(one)[0] for one in proposal.candidates) >= STANDS_M
        best, mean = (float(off.min()), float(off.mean())) if moves else (None, None)
        return Instant(self._drive, left_m, ways, headings, best, mean)


def to_junction_m(words: str) -> float | None:
    """Way to the next turn by the instruction's words; None where it names none."""
    if not words.startswith(('turn', 'go straight')):
        return None
    stated = re.search(r' in (\d+) m', words)
    return float(stated[1]) if stated else 0.0


def end_of(plan: np.ndarray) -> tuple[float, float]:
    """Way [m] of a plan (P, 3) and its heading at the end [deg]."""
    steps = np.diff(plan[:, :2], axis=0, prepend=np.zeros((1, 2)))
    return float(np.hypot(*steps.T).sum()), math.degrees(float(plan[-1, 2]))


def lines(found: list[Instant]) -> Iterator[str]:
    """What is printed."""
    for turn in TURNS:
        told = [goes for one in found if (goes := one.goes(turn)) is not None]
        yield f'{turn}: {sum(told)} of {len(told)} plans that move go there'
    best_of = [one.best_m for one in found if one.best_m is not None]
    mean_of = [one.mean_m for one in found if one.mean_m is not None]
    if best_of:
        best, mean = float(np.mean(best_of)), float(np.mean(mean_of))
        share = best / mean
        yield (f'{len(best_of)} instants at which a candidate moves: best of eight {best:.2f} m, '
               f'mean {mean:.2f} m from the expert ({share:.2f})')  # fmt: skip


if __name__ == '__main__':
    if sys.argv[1:2] == [WORKER]:
        answer(asked)
    else:
        typer.run(main)
