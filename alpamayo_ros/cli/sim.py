"""``alpamayo sim``: closed-loop drives without ROS, scored."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from alpamayo_ros.simulation.ablation import ABLATIONS
from alpamayo_ros.simulation.batch import BatchError, Task
from alpamayo_ros.simulation.planners import KINDS
from alpamayo_ros.simulation.scenario import load_scenario, scenario_names

MAX_DRIVES = 100_000
COLUMNS = {  # key of the row: heading
    'seed': 'seed',
    'right': 'right',
    'end': 'end',
    'distance_m': 'm',
    'mean_offset_m': 'offset',
    'max_offset_m': 'most',
    'stops': 'stops',
    'restarts': 'again',
    'gap_m': 'gap',
    'score': 'score',
    'fallback_plans': 'stop plans',
}


def parse_seeds(text: str) -> list[int]:
    """``100:150`` (the end excluded), ``7`` or ``1,5,9``; typer.BadParameter otherwise."""
    if re.fullmatch(r'\d{1,9}:\d{1,9}', text):
        first, end = map(int, text.split(':'))
        seeds = list(range(first, min(end, first + MAX_DRIVES)))
    elif re.fullmatch(r'\d{1,9}(,\d{1,9})*', text):
        seeds = list(dict.fromkeys(map(int, text.split(','))))
    else:
        raise typer.BadParameter(f'{text!r}: expected 100:150, 7 or 1,5,9')
    if not seeds:
        raise typer.BadParameter(f'{text!r} holds no seed; the end is excluded')
    return seeds


def app(
    scenario: Annotated[
        str, typer.Option(help=f'{", ".join(scenario_names())}, or a .yaml path.')
    ] = 'winding_road',
    seeds: Annotated[str, typer.Option(help='100:150 (end excluded), 7 or 1,5,9.')] = '0:10',
    planner: Annotated[str, typer.Option(help=f'One of {", ".join(KINDS)}.')] = 'onnx',
    model: Annotated[
        str, typer.Option(help='Folder of the model; default: the shipped one.')
    ] = '',
    profile: Annotated[str, typer.Option(help='Profile of the model.')] = 'nano',
    objects: Annotated[
        str, typer.Option(help='What the safety part sees of others: none, or truth.')
    ] = 'none',
    ablate: Annotated[str, typer.Option(help=f'{" or ".join(ABLATIONS)}.')] = '',
    latency: Annotated[
        float, typer.Option(min=0, max=1, help='Simulated latency in steps of 0.1 s.')
    ] = 0.0,
    prompt: Annotated[str, typer.Option(help='Driving prompt.')] = '',
    workers: Annotated[int, typer.Option(min=1, max=64, help='Processes.')] = 1,
    json_path: Annotated[
        Path | None, typer.Option('--json', help='Write rows and summary to this file.')
    ] = None,
) -> None:
    """Drive seeds of a scenario in lockstep without ROS and score them.

    Example: alpamayo sim --scenario winding_road --seeds 100:150 --objects none --json out.json

    An interrupted call goes on where it stopped when --json names the same file.
    """
    load_scenario(scenario)
    _one_of('planner', planner, KINDS)
    _one_of('objects', objects, ('none', 'truth'))
    _one_of('ablate', ablate, ('', *ABLATIONS))
    steps = round(latency * 10)
    task = Task(scenario, planner, profile, model, objects, steps, ablate, prompt)
    try:
        report = drive(task, parse_seeds(seeds), workers, json_path)
    except BatchError as error:
        typer.echo(f'alpamayo sim: {error}', err=True)
        raise typer.Exit(1) from error
    show(report)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise typer.BadParameter(f'--{name} {value!r}; there are {", ".join(filter(None, known))}')


def drive(task: Task, seeds: list[int], workers: int, json_path: Path | None) -> dict[str, Any]:
    """Run a batch under a progress bar; the report is also written to ``json_path``."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    from alpamayo_ros.simulation import batch
    from alpamayo_ros.simulation.summary import summarise

    journal = None
    if json_path is not None:
        json_path.parent.mkdir(parents=True, exist_ok=True)
        journal = json_path.with_name(json_path.name + '.partial.jsonl')
    began, right = time.perf_counter(), [0, 0]
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        bar = progress.add_task(task.scenario, total=len(seeds))

        def done(row: dict[str, Any]) -> None:
            right[0], right[1] = right[0] + row['right'], right[1] + 1
            words = f'{task.scenario}: right {right[0]} of {right[1]}'
            progress.update(bar, advance=1, description=words)

        rows, who = batch.run(task, seeds, workers, journal, done)
    report = {
        'task': json.loads(task.to_json()),
        'planner': who,
        'summary': summarise(rows),
        'seconds': round(time.perf_counter() - began, 2),
        'rows': rows,
    }
    if json_path is not None and journal is not None:
        json_path.write_text(json.dumps(report, indent=1) + '\n')
        journal.unlink(missing_ok=True)
    return report


def show(report: dict[str, Any]) -> None:
    """Rows and summary as a table."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(*COLUMNS.values(), box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for row in report['rows']:
        cells = [f'{row[c]:.2f}' if isinstance(row[c], float) else str(row[c]) for c in COLUMNS]
        table.add_row(*cells, style=None if row['right'] else 'red')
    console, s = Console(), report['summary']
    console.print(table)
    names = ['right', 'without_contact', 'on_the_road', 'moved_on']
    names += ['ended_before_150_m'] if report['task']['ablate'] else []
    for name in names:
        part = s[name]
        low, high = part['interval_95']
        words = f'{part["count"]} of {part["of"]} (95 %: {low:.3f} to {high:.3f})'
        console.print(f'{name.replace("_", " ")}: {words}', highlight=False)
    console.print(
        f'mean offset {s["mean_offset_m"]:.3f} m, score {s["score"]:.3f}, ends {s["ends"]}, '
        f'{report["planner"]["name"]} {report["planner"]["manifest_sha256"][:12]}, '
        f'{report["seconds"]:.0f} s',
        highlight=False,
    )
