"""Plots of a drive that is looked back at: where plans led, and how wrong they were."""

from __future__ import annotations

from bisect import bisect_right, insort

import numpy as np
from jaxtyping import Float

from alpamayo_ros.film.director import STOP_SOURCES, carried
from alpamayo_ros.film.top_view import Road, offset
from alpamayo_ros.limits import in_ns, load_limits
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports.plots import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    RED,
    figure,
    legend_above,
    styled,
    svg,
)

HERE = (0.0, 0.0, 0.0)
NEAR_M = 40.0  # road further from the driven path is left out
PLANS = 24  # of a drive that are drawn; more hide the path
ERRORS = {'l2_at_1s': GREEN, 'l2_at_3s': ORANGE, 'l2_at_6s': RED}


@styled
def paths_plot(recording: Recording, road: Road | None = None) -> str:
    """The driven path from above, and a share of the plans, each from where it was made."""
    drawn, axes = figure(5.2, 3.6)
    if road is not None:
        for left_m in (road.right_m, road.left_m):
            edge = _near(offset(road.centre, left_m), recording)
            axes.plot(edge[:, 0], edge[:, 1], color=GREY, linewidth=0.8)
    for name, colour, stops in (('plan', GREEN, False), ('plan to stop', RED, True)):
        label: str | None = name
        for path in planned_paths(recording, stops):
            axes.plot(path[:, 0], path[:, 1], color=colour, linewidth=1.1, label=label)
            label = None
    table = recording.ego
    axes.plot(table[:, 1], table[:, 2], color=BLUE, linewidth=2.2, label='driven', zorder=1.9)
    axes.plot(table[:1, 1], table[:1, 2], 'o', color=INK, markersize=5)
    axes.margins(0.08)
    axes.set(xlabel='east [m]', ylabel='north [m]')
    axes.set_aspect('equal', adjustable='datalim')
    legend_above(axes)
    return svg(drawn, 'driven path and plans from above')


@styled
def error_plot(recording: Recording) -> str:
    """Distance of each plan from what was then driven, by the time of the plan.

    '' without scores.
    """
    scores = recording.all(events.Score)
    drawn, axes = figure(5.2, 2.8)
    start_ns = recording.times_ns[0] if recording.times_ns else 0
    known = False
    for name, colour in ERRORS.items():
        rows = [
            ((s.t0_ns - start_ns) / 1e9, value)
            for s in scores
            if (value := s.metrics.get(name)) is not None
        ]
        if rows:
            known = True
            time_s, error_m = zip(*rows, strict=True)
            axes.plot(time_s, error_m, '.-', color=colour, markersize=3, linewidth=1,
                      label=f'after {name[6:-1]} s')  # fmt: skip
    if not known:
        return ''
    axes.set(xlabel='time of the plan [s]', ylabel='error of the plan [m]', ylim=(0, None))
    legend_above(axes)
    return svg(drawn, 'error of the plans over time')


@styled
def cycle_plot(recording: Recording) -> str:
    """Wall time of each cycle and age of its oldest picture, over time; '' without either."""
    cycles, ages = recording.all(events.Timing), picture_ages(recording)
    if not recording.times_ns or not (cycles or len(ages)):
        return ''
    drawn, axes = figure(5.2, 2.8)
    start_ns = recording.times_ns[0]
    if len(ages):
        axes.plot(ages[:, 0], ages[:, 1], color=BLUE, linewidth=1, label='oldest picture at t0')
    if cycles:
        axes.plot([(t.t0_ns - start_ns) / 1e9 for t in cycles], [t.wall_ms for t in cycles],
                  color=GREEN, linewidth=1, label='planning cycle')  # fmt: skip
    axes.axhline(100, color=GREY, linestyle='--', linewidth=1, label='period, 100 ms')
    axes.set(xlabel='time [s]', ylabel='[ms]', ylim=(0, None))
    legend_above(axes)
    return svg(drawn, 'age of the oldest picture and time of each planning cycle')


def picture_ages(recording: Recording) -> Float[np.ndarray, 'n 2']:
    """Time from the start [s] and age of the oldest camera's newest picture [ms], at every t0.

    A picture up to the limit of skew after t0 counts as one of t0.
    """
    skew_ns = in_ns(load_limits().skew_s)
    stamps: dict[str, list[int]] = {}
    for image in recording.all(events.Image):
        insort(stamps.setdefault(image.camera, []), image.stamp_ns)
    rows = []
    for t0_ns in recording.times_ns if stamps else []:
        past = [(found, bisect_right(found, t0_ns + skew_ns)) for found in stamps.values()]
        known = [max(0, t0_ns - found[i - 1]) for found, i in past if i]
        if known:
            rows.append(((t0_ns - recording.times_ns[0]) / 1e9, max(known) / 1e6))
    return np.array(rows, float).reshape(-1, 2)


def planned_paths(recording: Recording, stops: bool) -> list[Float[np.ndarray, 'p 2']]:
    """At most ``PLANS`` plans in odom, evenly spread over the drive."""
    plans = [
        p
        for p in recording.all(events.Plan)
        if p.topic == 'trajectory' and p.x_m and (p.source in STOP_SOURCES) == stops
    ]
    step = max(1, -(-len(plans) // PLANS))
    return [in_odom(np.array([p.x_m, p.y_m]).T, p.pose) for p in plans[::step]]


def _near(line: Float[np.ndarray, 'n 2'], recording: Recording) -> Float[np.ndarray, 'm 2']:
    """The part of a road that the drive came near."""
    driven = recording.ego[::5, 1:3]
    if not len(driven):
        return line
    apart = np.linalg.norm(line[:, None] - driven[None], axis=2).min(1)
    return np.asarray(line[apart < NEAR_M])


def in_odom(points: Float[np.ndarray, 'n 2'], anchor: list[float]) -> Float[np.ndarray, 'n 2']:
    """Points in base_link at ``anchor`` (x, y, heading in odom), in odom."""
    return carried(points, anchor, HERE)
