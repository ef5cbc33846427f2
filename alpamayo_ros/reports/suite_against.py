"""Two models on the same runs, side by side: every figure, and what became worse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alpamayo_ros.metrics import regression_suite
from alpamayo_ros.metrics.suite_figures import FIGURES
from alpamayo_ros.reports import report_tables

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """A figure of both, the difference in words and the class of its colour."""

    label: str
    sentence: str
    before: str
    now: str
    change: str
    colour: str


@dataclass(frozen=True, slots=True)
class Against:
    """``same_runs``: the drives can be compared one by one; ``worse``: what fails --against.

    ``apart``: why a difference need not be one of the models.
    """

    name: str
    pairs: list[Pair]
    worse: list[str]
    same_runs: bool
    apart: list[str]


def against(before: Report, now: Report) -> Against:
    """The earlier report beside this one."""
    planner = before['planner']
    name = f'{planner["name"]} {str(planner.get("manifest_sha256", ""))[:12]}'.strip()
    found = regression_suite.worse(before, now)
    others = [item.sentence for item in found if item.name == 'runs']
    return Against(
        name=name,
        pairs=[
            _pair(key, before.get(key), now.get(key), not others) for key in FIGURES if key in now
        ],
        worse=[item.sentence for item in found if item.name != 'runs'],
        same_runs=not others,
        apart=[*others, *regression_suite.other_settings(before, now)],
    )


def _pair(key: str, before: float | None, now: float | None, comparable: bool) -> Pair:
    """One figure of both; a difference between other runs is neither better nor worse."""
    definition = FIGURES[key]
    change, colour = '', ''
    if comparable:
        change, colour = report_tables.difference(now, before, definition.better, definition.unit)
    return Pair(
        label=report_tables.label(key),
        sentence=definition.sentence,
        before=report_tables.shown(before, definition.unit),
        now=report_tables.shown(now, definition.unit),
        change=change,
        colour=colour,
    )
