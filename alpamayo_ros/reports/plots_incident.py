"""Plots of an incident: states and faults over time, speed, plans beside the way driven."""

from __future__ import annotations

from typing import Any

import numpy as np

from alpamayo_ros.incident.story import Span, Story
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.palette import STATES, as_hex
from alpamayo_ros.reports.plots import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    RED,
    figure,
    legend_above,
    styled,
    svg,
)

COLOURS = {name: as_hex(colour) for name, colour in STATES.items()}
LEAST_S = 0.15  # a bar that short is still seen
ROWS = 12  # of faults in the time line; those that come later share the last
PLANS = 6  # drawn from above


@styled
def timeline(story: Story) -> str:
    """States in the first row, below it each fault while it held; the event at 0."""
    rows = fault_rows(story)
    drawn, axes = figure(10.4, 0.9 + 0.26 * (1 + len(rows)))
    for span in story.states:
        width = max(span.end_s - span.start_s, LEAST_S)
        colour = COLOURS[span.name]
        axes.barh('state', width, left=span.start_s, color=colour, height=0.8, label=span.name)
    for label, spans in rows.items():
        for span in spans:
            width = max(span.end_s - span.start_s, LEAST_S)
            axes.barh(label, width, left=span.start_s, color=ORANGE, height=0.5)
    axes.axvline(0.0, color=INK, linewidth=1, linestyle='--')
    axes.invert_yaxis()
    axes.set(xlabel='time from the event [s]')
    axes.grid(axis='y', visible=False)
    _states(axes)
    return svg(drawn, 'states and faults over time')


def fault_rows(story: Story) -> dict[str, list[Span]]:
    """The spans of each fault under its name; beyond ``ROWS`` faults the later ones as one row."""
    rows: dict[str, list[Span]] = {}
    for span in story.fault_spans:
        rows.setdefault(span.name, []).append(span)
    if len(rows) <= ROWS:
        return rows
    first = dict(list(rows.items())[: ROWS - 1])
    later = [span for name, spans in rows.items() if name not in first for span in spans]
    return {**first, f'and {len(rows) - len(first)} more': later}


def _states(axes: Any) -> None:
    """Each state once in the legend."""
    handles, labels = axes.get_legend_handles_labels()
    first = dict(zip(reversed(labels), reversed(handles), strict=True))
    shown = [name for name in COLOURS if name in first]
    axes.legend(
        [first[name] for name in shown], shown, fontsize=8, loc='lower left',
        bbox_to_anchor=(0.0, 1.0), ncols=6, borderaxespad=0,
    )  # fmt: skip


@styled
def speed(story: Story) -> str:
    """Speed as driven, and as the plan in force said for that moment when it left."""
    rows = story.motion.rows
    drawn, axes = figure(5.2, 3.4)
    axes.plot(rows[:, 0], rows[:, 3], color=BLUE, label='driven')
    for source, colour, label in (('model', GREEN, 'planned'), ('fallback', RED, 'stop')):
        points = [(story.seconds(p.t0_ns) + p.trajectory.dt_s, p.trajectory.speed_mps[0])
                  for _, p in story.plans if p.source == source]  # fmt: skip
        if points:
            axes.plot(*np.array(points).T, '.', color=colour, markersize=3, label=label)
    axes.axvline(0.0, color=INK, linewidth=1, linestyle='--')
    axes.set(xlabel='time from the event [s]', ylabel='speed [m/s]', ylim=(0, None))
    legend_above(axes)
    return svg(drawn, 'speed over time')


@styled
def path(story: Story) -> str:
    """The way driven from above, with plans before the event and the stops after it."""
    rows = story.motion.rows
    drawn, axes = figure(5.2, 3.4)
    labelled: set[str] = set()
    for plan in chosen(story):
        points = plan.poses_in_odom()
        colour, label = (GREEN, 'plan') if plan.source == 'model' else (RED, 'plan to stop')
        shown = '' if label in labelled else label
        labelled.add(label)
        axes.plot(points[:, 0], points[:, 1], color=colour, linewidth=1, label=shown)
    near = rows[np.abs(rows[:, 0]) < NEAR_S] if len(rows) else rows
    axes.plot(near[:, 1], near[:, 2], color=BLUE, linewidth=2.4, label='driven')
    event = story.motion.at(0.0)
    if event is not None:
        axes.plot(event[0], event[1], 'o', color=INK, markersize=5, label='the event')
    axes.set(xlabel='x in odom [m]', ylabel='y in odom [m]')
    axes.set_aspect('equal', adjustable='datalim')
    axes.legend(fontsize=8, loc='lower left', bbox_to_anchor=(0.0, 1.0), ncols=4, borderaxespad=0)
    return svg(drawn, 'plans and the way driven, from above')


NEAR_S = 12.0  # of the way driven, on both sides of the event


def chosen(story: Story) -> list[Plan]:
    """The plans around the event: the last of the model before it, and stops after it."""
    before = [p for at_s, p in story.plans if p.source == 'model' and at_s <= 0.0]
    after = [p for at_s, p in story.plans if at_s >= 0.0 and p.source == 'fallback']
    return [*before[-PLANS * 3 :: 3][-PLANS:], *after[: PLANS * 5 : 5]]
