"""Drives with the controller node in the loop beside drives without it, in lockstep.

``python tools/drive_through_controller.py --drives 20``: each template of the split, then each
again with the next seed, is driven by the whole graph twice: the simulated car follows
``reference``, and it obeys ``drive_command``.  Printed: both scores and their difference, and what
differs where both score alike: the way driven and the largest distance from the path's middle.
The exit status is 1 where the mean scores differ by more than ``--within``.  A call that was
stopped goes on where it was: finished drives of the same code are kept in the folder.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import typer

from alpamayo_ros.simulation.batch import suite
from alpamayo_ros.simulation.batch.journal import PACKAGE, Journal, code_sha256

WAYS: dict[str, tuple[str, ...]] = {'direct': (), 'controller': ('--controller', 'twist')}
COMPARED = ('score', 'distance_m', 'max_offset_m')


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
    journal = Journal(out / 'drives.jsonl', {'runtime': runtime, 'code': code()})
    pairs = []
    for name, chosen in jobs(split, seed, drives):
        for how, words in WAYS.items():
            key = f'{name}_{chosen}.{how}'
            if key not in journal.rows:
                journal.add(key, drive(name, chosen, runtime, out / f'{key}.json', words))
        pairs.append({how: journal.rows[f'{name}_{chosen}.{how}'] for how in WAYS})
        typer.echo(line(pairs[-1]))
    means = {how: statistics.mean(score(pair[how]) for pair in pairs) for how in WAYS}
    write(out / 'summary.json', pairs, means)
    off = means['controller'] - means['direct']
    told = f'{means["direct"]:.4f}, {means["controller"]:.4f}, {off:+.4f}'
    full = sum(score(pair['direct']) >= 1.0 for pair in pairs)
    typer.echo(f'{len(pairs)} drives: {told}; {full} of them score 1 without the controller')
    raise typer.Exit(int(abs(off) > within))


def code() -> str:
    """Hash of all that decides a drive of the graph: the nodes too."""
    digest = hashlib.sha256(code_sha256().encode())
    for path in sorted((PACKAGE / 'nodes').rglob('*.py')):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def jobs(split: str, seed: int, drives: int) -> list[tuple[str, int]]:
    """Templates and seeds: one of each family in turn, then all again with the next seed."""
    names = templates(split)
    return [(names[i % len(names)], seed + i // len(names)) for i in range(drives)]


def templates(split: str) -> list[str]:
    """Names of the suite's templates, one of each family in turn."""
    found: dict[str, list[str]] = {}
    for template in suite.templates(split):
        found.setdefault(template.family, []).append(template.name)
    longest = max(map(len, found.values()), default=0)
    return [names[i] for i in range(longest) for names in found.values() if i < len(names)]


def score(row: dict[str, Any]) -> float:
    """The score of a drive; one that has none counts nothing."""
    return float(row['score'] or 0.0)


def write(path: Path, pairs: list[dict[str, Any]], means: dict[str, float]) -> None:
    """What is compared of each drive, both ways, and the mean scores."""
    drives = [
        {'template': pair['direct']['name'], 'seed': pair['direct']['seed']}
        | {how: {key: pair[how][key] for key in COMPARED} for how in WAYS}
        for pair in pairs
    ]
    path.write_text(json.dumps({'drives': drives, **means}, indent=1) + '\n')


def line(pair: dict[str, dict[str, Any]]) -> str:
    """A drive both ways: scores, their difference, ends, ways [m], largest offsets [m]."""
    a, b = (pair[how] for how in WAYS)
    scores = f'{score(a):.3f} {score(b):.3f} {score(b) - score(a):+.3f}'
    ways = f'{a["distance_m"]:6.1f} {b["distance_m"]:6.1f} m'
    offsets = f'{a["max_offset_m"]:.2f} {b["max_offset_m"]:.2f} m'
    ends = a['end'] if a['end'] == b['end'] else f'{a["end"]}, {b["end"]}'
    return f'{a["name"]:32} {a["seed"]} {scores}  {ways}  {offsets}  {ends}'


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
