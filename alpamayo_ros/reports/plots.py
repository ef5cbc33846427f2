"""Plots of a recorded drive as inline SVG, drawn by matplotlib without a display."""

from __future__ import annotations

import functools
import io
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec

import numpy as np
from jaxtyping import Float

from alpamayo_ros.film.top_view import Road, offset
from alpamayo_ros.palette import PLOTS
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports.demo_summary import plan_ages_ms

P = ParamSpec('P')
INK, GREY, BLUE, ORANGE, GREEN, RED = (light for light, _ in PLOTS.values())
GRID = '#e6e8eb'
# Colours that the page may replace, so that a plot is readable on a dark page too.
THEME = {light: name for name, (light, _) in PLOTS.items()} | {GRID: 'grid'}
STYLE: Any = {
    'font.family': 'sans-serif', 'font.size': 9, 'svg.fonttype': 'none', 'axes.edgecolor': GREY,
    'axes.labelcolor': INK, 'text.color': INK, 'xtick.color': INK, 'ytick.color': INK,
    'axes.grid': True, 'grid.color': GRID, 'axes.spines.top': False, 'axes.spines.right': False,
    'axes.axisbelow': True, 'legend.frameon': False, 'lines.linewidth': 1.6,
}  # fmt: skip
SMOOTH = 5  # odometry rows of a moving mean


def styled(draw: Callable[P, str]) -> Callable[P, str]:
    """Draw with ``STYLE`` and leave matplotlib's own settings as they were."""

    @functools.wraps(draw)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> str:
        import matplotlib

        matplotlib.use('Agg')
        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return wrapped


@styled
def path_plot(recording: Recording, road: Road | None) -> str:
    """The driven path on its road, seen from above, coloured by speed."""
    table = recording.ego
    drawn, axes = figure(5.2, 3.4)
    if road is not None:
        for left_m, width in ((road.right_m, 0.8), (road.left_m, 0.8)):
            edge = offset(road.centre, left_m)
            axes.plot(edge[:, 0], edge[:, 1], color=GREY, linewidth=width)
    shown = axes.scatter(table[:, 1], table[:, 2], c=table[:, 4], s=5, cmap='viridis', vmin=0)
    axes.plot(table[0, 1], table[0, 2], 'o', color=INK, markersize=5)
    seen = table[:, 1:3]
    middle, reach = (seen.min(0) + seen.max(0)) / 2, max(np.ptp(seen, axis=0).max() / 2 + 12, 25)
    axes.set(xlim=(middle[0] - reach, middle[0] + reach), xlabel='east [m]', ylabel='north [m]')
    axes.set_ylim(middle[1] - reach, middle[1] + reach)
    axes.set_aspect('equal')
    bar = drawn.colorbar(shown, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label('speed [m/s]')
    bar.outline.set_visible(False)
    return svg(drawn, 'driven path from above')


@styled
def speed_plot(recording: Recording) -> str:
    """Speed over time, driven and as planned two seconds before, and acceleration below it."""
    table = recording.ego
    start_s = recording.times_ns[0] / 1e9
    time_s = table[:, 0] - start_s
    drawn, (speed, change) = figure(5.2, 3.4, rows=2)
    planned = np.array(_planned(recording, ahead_s=2.0)).reshape(-1, 2)
    if len(planned):
        speed.plot(planned[:, 0] - start_s, planned[:, 1], '.', color=ORANGE, markersize=3,
                   label='planned 2 s before')  # fmt: skip
    speed.plot(time_s, table[:, 4], color=BLUE, label='driven')
    if recording.contact is not None:
        at_s = recording.contact.stamp_ns / 1e9 - start_s
        speed.axvline(at_s, color=RED, linewidth=1, label='contact')
        change.axvline(at_s, color=RED, linewidth=1)
    speed.set(ylabel='speed [m/s]', ylim=(0, None))
    legend_above(speed)
    change.plot(time_s, acceleration(table), color=BLUE)
    change.axhline(0, color=GREY, linewidth=0.8)
    change.set(ylabel='acceleration [m/s²]', xlabel='time [s]')
    return svg(drawn, 'speed and acceleration over time')


@styled
def age_plot(recording: Recording) -> str:
    """Age of the plan at each reference and duration of each cycle, over time."""
    start_ns = recording.times_ns[0]
    references = [p for p in recording.all(events.Plan) if p.topic == 'reference']
    drawn, axes = figure(5.2, 2.8)
    timed = [p.stamp_ns for p in references if p.source == 0]
    axes.plot((np.array(timed) - start_ns) / 1e9, plan_ages_ms(recording), '.', color=BLUE,
              markersize=3, label='age of the plan')  # fmt: skip
    cycles = recording.all(events.Timing)
    axes.plot([(t.t0_ns - start_ns) / 1e9 for t in cycles], [t.wall_ms for t in cycles],
              color=GREEN, label='planning cycle')  # fmt: skip
    axes.axhline(100, color=GREY, linestyle='--', linewidth=1, label='period, 100 ms')
    axes.set(xlabel='time [s]', ylabel='[ms]', ylim=(0, None))
    legend_above(axes)
    return svg(drawn, 'age of the plan over time')


@styled
def stage_plot(stages: dict[str, float], what: str = 'median [ms]') -> str:
    """Time of each stage of a cycle; ``what`` says which."""
    drawn, axes = figure(5.2, 2.8)
    names, values = list(stages), list(stages.values())
    axes.barh(names, values, color=BLUE, height=0.6)
    for row, value in enumerate(values):
        axes.annotate(f'{value:.1f}', (value, row), (4, 0), textcoords='offset points',
                      va='center', fontsize=8, color=INK)  # fmt: skip
    axes.invert_yaxis()
    axes.set(xlabel=what, xlim=(0, max([*values, 1.0]) * 1.15))
    axes.grid(axis='y', visible=False)
    return svg(drawn, 'time of each stage')


def acceleration(table: Float[np.ndarray, 'n 6']) -> Float[np.ndarray, ' n']:
    """Acceleration from the speed of odometry [m/s2], smoothed over ``SMOOTH`` rows."""
    if len(table) < 2 * SMOOTH:
        return np.zeros(len(table))
    change = np.gradient(table[:, 4], np.maximum(table[:, 0], 0))
    padded = np.pad(change, SMOOTH // 2, mode='edge')
    return np.asarray(np.convolve(padded, np.ones(SMOOTH) / SMOOTH, 'valid'))


def _planned(recording: Recording, ahead_s: float) -> list[tuple[float, float]]:
    """Time [s] and speed [m/s] that plans promised ``ahead_s`` later."""
    index = round(ahead_s / 0.1) - 1
    return [
        (p.stamp_ns / 1e9 + ahead_s, p.speed_mps[index])
        for p in recording.all(events.Plan)
        if p.topic == 'trajectory' and p.source == 0 and len(p.speed_mps) > index
    ]


def figure(width: float, height: float, rows: int = 1) -> tuple[Any, Any]:
    """A figure of so many inches and its axes, one below the other."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout='constrained')
    return figure, figure.subplots(rows, 1, sharex=True)


def legend_above(axes: Any) -> None:
    """A legend in one row that covers no data."""
    axes.legend(fontsize=8, loc='lower left', bbox_to_anchor=(0.0, 1.0), ncols=3, borderaxespad=0)


def svg(figure: Any, label: str) -> str:
    """The figure as an element that scales with the page; ``label`` is for those who hear it.

    Its words are drawn by the browser, in a font that has their script.
    """
    out = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', r'Glyph .* missing from')
        figure.savefig(out, format='svg', metadata={'Date': None}, transparent=True)
    text = out.getvalue()
    for colour, name in THEME.items():
        text = text.replace(colour, f'var(--plot-{name}, {colour})')
    text = re.sub(r'(?s)<metadata>.*?</metadata>', '', text[text.index('<svg') :])
    return re.sub(
        r'<svg ([^>]*?)width="[^"]*"',
        rf'<svg \1class="plot" role="img" aria-label="{label}"',
        text,
        count=1,
    ).replace('height="', 'data-height="', 1)


def svg_ids_apart(plots: Sequence[str]) -> list[str]:
    """The plots with the ids of each made its own, since one page holds them all."""
    return [
        re.sub(r'(id="|url\(#|href="#)', rf'\g<1>plot{number}-', plot)
        for number, plot in enumerate(plots)
    ]
