"""Drives with the controller node in the loop beside drives without it, in lockstep.

``python tools/drive_through_controller.py --drives 20``: each template of the split, then each
again with the next seed, is driven by the whole graph twice: the simulated car follows
``reference``, and it obeys ``drive_command``.  Printed: both scores and their difference; the exit
status is 1 where the means differ by more than ``--within``.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import typer

from alpamayo_ros.simulation.batch import suite

CONTROLLED = ('--controller', 'twist')


def main(
    drives: int = typer.Option(
        20, min=1, help='Templates, the first of each family; then again with the next seed.'
    ),
    out: Path = typer.Option(Path('out/controller'), help='Folder to write.'),
    seed: int = typer.Option(7, min=0, help='Seed of the first drives.'),
    split: str = typer.Option('val', help='Split of the suite.'),
    runtime: str = typer.Option('onnx', help='Who plans.'),
    within: float = typer.Option(0.02, help='Largest difference of the mean scores.'),
) -> None:
    """Drive both ways and compare."""
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    names = templates(split)
    for i in range(drives):
        name, chosen = names[i % len(names)], seed + i // len(names)
        told = {
            how: drive(name, chosen, runtime, out / f'{name}_{chosen}.{how}.json', words)
            for how, words in (('direct', ()), ('controller', CONTROLLED))
        }
        scores = {how: float(one['score'] or 0.0) for how, one in told.items()}
        rows.append({'template': name, 'seed': chosen, **scores})
        off = scores['controller'] - scores['direct']
        typer.echo(
            f'{name:32} {chosen} {scores["direct"]:.3f} {scores["controller"]:.3f} {off:+.3f}'
        )
    means = {how: statistics.mean(float(r[how]) for r in rows) for how in ('direct', 'controller')}
    (out / 'summary.json').write_text(json.dumps({'drives': rows, **means}, indent=1) + '\n')
    off = means['controller'] - means['direct']
    typer.echo(f'{len(rows)} drives: {means["direct"]:.4f}, {means["controller"]:.4f}, {off:+.4f}')
    raise typer.Exit(int(abs(off) > within))


def templates(split: str) -> list[str]:
    """Names of the suite's templates, one of each family in turn."""
    found: dict[str, list[str]] = {}
    for template in suite.templates(split):
        found.setdefault(template.family, []).append(template.name)
    longest = max(map(len, found.values()), default=0)
    return [names[i] for i in range(longest) for names in found.values() if i < len(names)]


def drive(
    name: str, seed: int, runtime: str, output: Path, words: tuple[str, ...]
) -> dict[str, Any]:
    """The result of one drive of the whole graph."""
    command = [sys.executable, '-m', 'alpamayo_ros.cli.main', 'up', 'simulator', '--lockstep']
    command += ['--scenario', name, '--seed', str(seed), '--runtime', runtime]
    command += ['--output', str(output), *words]
    with output.with_suffix('.log').open('w') as log:
        ended = subprocess.run(command, stdout=log, stderr=log).returncode
    if ended:
        raise SystemExit(f'{name}: the graph ended with status {ended}; {log.name} says why')
    found: dict[str, Any] = json.loads(output.read_text())
    return found


if __name__ == '__main__':
    typer.run(main)
