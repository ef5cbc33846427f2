"""What ``alpamayo sim`` prints: the scenarios, the drives of a batch."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Column, Table

from alpamayo_ros.cli.common import tables

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


def show_scenarios() -> None:
    """Every scenario with its family and split."""
    from alpamayo_ros.simulation.scenario import load_scenario, scenario_names

    name = Column('scenario', no_wrap=True, min_width=max(map(len, scenario_names())))
    table = Table(name, 'family, split', 'description', box=None, padding=(0, 2, 0, 0))
    for scenario in map(load_scenario, scenario_names()):
        place = f'{scenario.family}, {scenario.split}' if scenario.family else ''
        table.add_row(scenario.name, place, scenario.description)
    tables.show(table)


def show(report: dict[str, Any]) -> None:
    """Rows and summary as a table."""
    table = Table(*COLUMNS.values(), box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for row in report['rows']:
        cells = [f'{row[c]:.2f}' if isinstance(row[c], float) else str(row[c]) for c in COLUMNS]
        table.add_row(*cells, style=None if row['right'] else 'red')
    console, s = tables.console(), report['summary']
    tables.show(table, console)
    if report['faults']:
        console.print(f'faults: {report["faults"]}')
    names = ['right', 'without_contact', 'on_the_road', 'moved_on']
    names += ['ended_before_150_m'] if report['task']['ablate'] else []
    for name in names:
        part = s[name]
        if not part['of']:
            continue  # nobody stood
        low, high = part['interval_95']
        words = f'{part["count"]} of {part["of"]} (95 %: {low:.3f} to {high:.3f})'
        console.print(f'{name.replace("_", " ")}: {words}')
    named = (report['planner']['name'], report['planner']['manifest_sha256'][:12])
    planner = ' '.join(filter(None, named))  # the expert has no manifest
    gap = '' if s['time_gap_s'] is None else f', {s["time_gap_s"]:.2f} s behind a steady leader'
    console.print(f'mean speed {s["mean_speed_mps"]:.2f} m/s{gap}')
    console.print(
        f'mean offset {s["mean_offset_m"]:.3f} m, score {s["score"]:.3f}, ends {s["ends"]}, '
        f'{planner}, {report["seconds"]:.0f} s'
    )
