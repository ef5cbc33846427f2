"""Is a suite's result worse than an earlier one?  The rules of ``regression``, for suites.

Only the same runs can be compared: templates (by their content), seeds and their order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alpamayo_ros.metrics.regression import Reference, Tolerance, Worse, compare
from alpamayo_ros.metrics.suite_figures import FIGURES

Report = Mapping[str, Any]
# One machine gives the same figures again; another rounds differently, and drives branch.
TOLERANCES: dict[str, Tolerance] = {
    'incidents': Tolerance(relative=0.0, absolute=0.0),
    'at_fault_free_share': Tolerance(relative=0.0, absolute=0.0),
    'right_share': Tolerance(relative=0.0, absolute=0.02),
}
LEFT_OUT = ('km_per_incident',)  # None is its best value; ``incidents`` stands for it
COMPARED = ('planner', 'profile', 'model')  # what one compares
NAMED = 5


def read(path: Path) -> Report:
    """An earlier result; FileNotFoundError or ValueError says what is wrong with it."""
    if not path.is_file():
        raise FileNotFoundError(f'--against {path}: no such file; expected --json of a suite')
    try:
        report = json.loads(path.read_text(encoding='utf-8'))
    except (ValueError, RecursionError) as error:
        raise ValueError(f'--against {path}: not JSON ({error})') from error
    if not isinstance(report, dict) or 'families' not in report or 'rows' not in report:
        raise ValueError(f'--against {path}: expected --json of alpamayo sim --suite')
    return report


def worse(before: Report, now: Report) -> list[Worse]:
    """Everything that is worse than allowed, or that the runs are others."""
    runs = [
        [(r['name'], r['seed'], r.get('template', '')) for r in x['rows']] for x in (before, now)
    ]
    if runs[0] != runs[1]:
        both = len(set(runs[0]) & set(runs[1]))
        text = (
            f'the runs differ: {len(runs[0])} before, {len(runs[1])} now, {both} the same; '
            'compare results of the same suite, seeds and --limit'
        )
        return [Worse('runs', float(len(runs[0])), float(len(runs[1])), None, text)]
    found = compare(Reference(_summary(before), TOLERANCES), _summary(now))
    fresh = _new_incidents(before, now)
    if fresh and any(item.name == 'incidents' for item in found):
        more = f' and {len(fresh) - NAMED} more' if len(fresh) > NAMED else ''
        text = f'new incidents: {", ".join(fresh[:NAMED])}{more}'
        found.append(Worse('new incidents', 0.0, float(len(fresh)), 0.0, text))
    return found


def other_settings(before: Report, now: Report) -> list[str]:
    """What was asked for otherwise, beside planner and model, and weighs on every figure."""
    old, new = before.get('task', {}), now['task']
    keys = [key for key in new if key not in COMPARED and old.get(key, new[key]) != new[key]]
    return [f'{key} {old[key]!r} before, {new[key]!r} now' for key in keys]


def _summary(report: Report) -> dict[str, Any]:
    """A suite's figures in the form that ``regression.compare`` reads."""
    cells: dict[str, dict[str, Any]] = {
        name: {'model': report.get(name), 'better': d.better, 'unit': d.unit}
        for name, d in FIGURES.items()
        if name not in LEFT_OUT
    }
    cells['incidents'] = {'model': float(report['incidents']), 'better': 'lower', 'unit': ''}
    return {'identity': {'bag': {'sha256': ''}}, 'complete': True, 'metrics': cells}


def _new_incidents(before: Report, now: Report) -> list[str]:
    pairs = zip(before['rows'], now['rows'], strict=True)
    return [f'{b["name"]} seed {b["seed"]}' for a, b in pairs if b['incidents'] > a['incidents']]
