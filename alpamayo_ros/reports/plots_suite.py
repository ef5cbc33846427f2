"""Plots of many scored drives: what each family of scenarios gets, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alpamayo_ros.reports.plots import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    figure,
    legend_above,
    styled,
    svg,
)

SCORES = {'drive_score': ('drive score', BLUE), 'scene_score': ('scene score', ORANGE)}
ROW_IN, HEAD_IN = 0.34, 0.9
LONGEST = 26  # letters of a family beside the plot, which takes what they leave


@styled
def family_plot(families: Mapping[str, Mapping[str, Any]], overall: Mapping[str, Any]) -> str:
    """Both scores of each family with their 95 % intervals, the lowest at the top.

    Dashed: of the whole suite.
    """
    order = sorted(families, key=lambda name: (families[name]['drive_score'] or 0.0, name))
    drawn, axes = figure(5.2, HEAD_IN + ROW_IN * max(len(order), 1))
    for shift, (key, (label, colour)) in zip((-0.13, 0.13), SCORES.items(), strict=True):
        for row, name in enumerate(order):
            value, ends = families[name][key], families[name].get(f'{key}_ci95')
            if value is None:
                continue
            if ends and None not in ends:
                axes.plot(ends, [row + shift] * 2, color=colour, linewidth=1.4, alpha=0.55)
            axes.plot([value], [row + shift], 'o', color=colour, markersize=5)
        axes.plot([], [], 'o-', color=colour, markersize=5, label=label)
    if overall['drive_score'] is not None:
        axes.axvline(overall['drive_score'], color=GREY, linestyle='--', linewidth=1)
    axes.set_yticks(range(len(order)), [_short(name) for name in order], color=INK)
    axes.set(xlim=(-0.03, 1.03), ylim=(max(len(order), 1) - 0.5, -0.5))
    axes.set_xlabel('score, with 95 % interval')
    axes.grid(axis='y', visible=False)
    legend_above(axes)
    return svg(drawn, 'scores of each family')


def _short(name: str) -> str:
    """A family's name as it is read, cut where it would leave the plot no room."""
    read = name.replace('_', ' ')
    return read if len(read) <= LONGEST else f'{read[: LONGEST - 1].rstrip()}…'
