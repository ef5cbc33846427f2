"""Faults at random in the suite's drives: ``python tools/random_faults.py --runs 100``.

Each run drives one template of the suite with one row of the fault matrix, from a random moment
on and for a random time.  Reported: whether the row was named in its time, when the car was
driving again, and contacts at fault that a stop at 6 m/s2 begun at the naming had avoided.
A call that was stopped goes on where it was: finished runs are kept beside the JSON file.
"""

from __future__ import annotations

import json
import random
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'test' / 'support'))

import invariants
import matrix

from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.batch import suite
from alpamayo_ros.simulation.batch.journal import Journal, code_sha256
from alpamayo_ros.simulation.drive.drive import Drive
from alpamayo_ros.simulation.drive.planners import open_planner
from alpamayo_ros.simulation.outcome import Outcome
from alpamayo_ros.simulation.scenario import load_scenario, with_faults

KINDS = ('F03', 'F04', 'F06', 'F16', 'F17', 'F23', 'F24', 'F36', 'F50')
BRAKE_MPS2 = 6.0
AFTER_S = 4.0  # driven on after a fault has ended
MOVING_MPS = 1.0  # a picture that stands still is looked for while the car moves


@dataclass(frozen=True, slots=True)
class Run:
    """What is driven: a template with its seed, a row and its time."""

    template: str
    seed: int
    row: str
    start_s: float
    stop_s: float
    planner: str

    @property
    def key(self) -> str:
        """Names the run by all that it is: the same key, the same result."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(slots=True)
class Result:
    """How it went; times from the fault's start and end, None where it never came.

    ``back_s``: ACTIVE or READY for good.  ``over_s``: or DEGRADED, by warnings about a plan alone.
    """

    run: Run
    named_s: float | None
    within_s: float
    back_s: float | None
    over_s: float | None
    end: str
    contact_at_fault: bool
    avoidable: bool
    stood: bool

    @property
    def named(self) -> bool:
        """Whether the row was named in its time, or the drive had ended or stood still."""
        return self.stood or (self.named_s is not None and self.named_s <= self.within_s + 1e-6)


def chosen(runs: int, seed: int, planner: str) -> list[Run]:
    """The runs, in the order of the suite's templates; the same seed gives the same runs."""
    rng, found = random.Random(seed), suite.templates('test')
    out = []
    for i in range(runs):
        start_s, length_s = round(rng.uniform(4.0, 8.0), 1), round(rng.uniform(0.6, 2.0), 1)
        template, row = found[i % len(found)].name, rng.choice(KINDS)
        place = (template, i // len(found), row, start_s, round(start_s + length_s, 1))
        out.append(Run(*place, planner))
    return out


@dataclass(slots=True)
class Watched:
    """A run from outside: cycles, and speed and way at each of them."""

    seen: list[Any]
    speeds_mps: list[float]
    ways_m: list[float]
    outcome: Outcome


def watched(run: Run) -> Watched:
    """Drive it, from the start until some seconds after the fault."""
    planner = open_planner(run.planner, load_profile('nano'))
    if isinstance(planner, Fault):
        raise SystemExit(str(planner))
    scenario = load_scenario(run.template).model_copy(update={'faults': ''})
    text = f'{run.row}@{run.start_s}s:{round(run.stop_s - run.start_s, 1)}s'
    made = Drive(with_faults(scenario, text), run.seed, planner)
    out = Watched([], [], [], made.sim.outcome)
    try:
        while not made.sim.done and out.outcome.duration_s < run.stop_s + AFTER_S:
            out.speeds_mps.append(made.sim.pose.speed_mps)
            out.ways_m.append(out.outcome.distance_m)
            out.seen.append(matrix.watch(made))
    finally:
        made.close()
    return out


def drive(run: Run) -> Result:
    """One run, judged."""
    found, expected = watched(run), matrix.ROWS[run.row].expected
    seen, outcome = found.seen, found.outcome
    named_s = invariants.detected_s(seen, expected.code, run.start_s)
    from_s = run.start_s + (named_s or 0.0) - 1e-6
    at = next((i for i, one in enumerate(seen) if one.at_s >= from_s), len(seen) - 1)
    pairs = zip(seen, found.speeds_mps, strict=True)
    during = [v for one, v in pairs if run.start_s <= one.at_s < run.stop_s]
    back_s, over_s = (f(seen, run.stop_s) for f in (invariants.recovered_s, invariants.over_s))
    hit = outcome.collisions_at_fault > 0 and seen[-1].at_s > run.start_s
    stop_m = found.speeds_mps[at] ** 2 / (2 * BRAKE_MPS2)
    return Result(
        run,
        None if named_s is None else round(named_s, 1),
        round(expected.threshold_s + invariants.NAMED_WITHIN_S, 1),
        None if back_s is None else round(back_s, 1),
        None if over_s is None else round(over_s, 1),
        outcome.end,
        hit,
        hit and stop_m < outcome.distance_m - found.ways_m[at],
        not during or (run.row == 'F06' and min(during) < MOVING_MPS),
    )


def finished(wanted: list[Run], planner: str, workers: int, path: Path) -> list[Result]:
    """The results of all runs in their order; those that ``path`` holds are not driven again."""
    opened = open_planner(planner, load_profile('nano'))
    if isinstance(opened, Fault):
        raise SystemExit(str(opened))
    head = {'code_sha256': code_sha256(), 'manifest_sha256': opened.manifest_sha256}
    kept = Journal(path, head)
    if kept.stale is not None:
        print(f'finished runs of another model or code were moved to {kept.stale}', flush=True)
    left = [run for run in wanted if run.key not in kept.rows]
    print(f'{len(wanted) - len(left)} of {len(wanted)} runs were finished before', flush=True)
    with ProcessPoolExecutor(workers) as pool:
        for done in as_completed([pool.submit(drive, run) for run in left]):
            one = done.result()
            kept.add(one.run.key, asdict(one))
            run, times_s = one.run, (one.named_s, one.back_s, one.over_s)
            print(run.template, run.seed, run.row, *times_s, flush=True)
    rows = [kept.rows[run.key] for run in wanted]
    return [Result(**{**row, 'run': run}) for run, row in zip(wanted, rows, strict=True)]


def _counted(times_s: list[float | None]) -> str:
    """How many within the time of the matrix, and within all that was watched."""
    found = [t for t in times_s if t is not None]
    within = sum(t <= invariants.RECOVERED_WITHIN_S for t in found)
    return (
        f'within {invariants.RECOVERED_WITHIN_S:g} s: {within}, '
        f'within {AFTER_S:g} s: {len(found)}, latest after {max(found, default=0.0):.1f} s'
    )


def main(
    runs: int = 100,
    seed: int = 0,
    planner: str = 'onnx',
    workers: int = 2,
    json_path: Path = Path('out/random_faults.json'),
) -> None:
    """Drive, report, and end with status 1 where something was not as it must be."""
    json_path.parent.mkdir(parents=True, exist_ok=True)
    journal = json_path.with_name(json_path.name + '.partial.jsonl')
    results = finished(chosen(runs, seed, planner), planner, workers, journal)
    late = [r for r in results if not r.named]
    avoidable = [r for r in results if r.avoidable]
    json_path.write_text(json.dumps([asdict(r) for r in results], indent=1) + '\n')
    journal.unlink()
    print(f'{len(results)} runs, {sum(r.stood for r in results)} ended or stood before the fault')
    print(f'named in time: all but {len(late)} {[r.run for r in late]}')
    print(f'contacts at fault: {sum(r.contact_at_fault for r in results)}')
    print(f'of those that a stop had avoided: {len(avoidable)} {[r.run for r in avoidable]}')
    print(f'ACTIVE or READY again {_counted([r.back_s for r in results])}')
    print(f'or with warnings about the plan alone {_counted([r.over_s for r in results])}')
    raise typer.Exit(int(bool(late or avoidable)))


if __name__ == '__main__':
    typer.run(main)
