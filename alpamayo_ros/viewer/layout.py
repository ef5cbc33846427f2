"""The fixed layout of the page: pictures, words, plots, and the plan view beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

AHEAD_M, BEHIND_M, SIDE_M = 60.0, 15.0, 26.0
TIMELINE = 'drive'
ORDER = ('front_left', 'front', 'front_right', 'rear_left', 'rear', 'rear_right')
WINDOW_S = 30.0  # of the plots while a graph runs


def ordered(cameras: Sequence[str]) -> list[str]:
    """The cameras as they lie on the page: known names as seen from the car, then the others."""
    known = [name for name in ORDER if name in cameras]
    return [*known, *(name for name in cameras if name not in ORDER)]


def columns(count: int) -> int:
    """Pictures a row: three up to six pictures, then the next square's side."""
    return min(3, count) if count <= len(ORDER) else math.ceil(math.sqrt(count))


def blueprint(rerun: Any, cameras: Sequence[str], live: bool) -> Any:
    """The layout for these cameras; ``live``: the newest is shown as it comes."""
    rrb = rerun.blueprint
    bounds = rrb.VisualBounds2D(x_range=[-SIDE_M, SIDE_M], y_range=[-AHEAD_M, BEHIND_M])
    dark = [16, 20, 26]
    view = rrb.Spatial2DView(
        origin='above',
        name='from above: plan, candidates by cost, others',
        visual_bounds=bounds,
        background=dark,
    )
    pictures = [
        rrb.Spatial2DView(origin=f'camera/{name}', name=name.replace('_', ' '), background=dark)
        for name in ordered(cameras)
    ]
    words = rrb.TextDocumentView(origin='words', name='chain of causation')
    log = rrb.TextLogView(
        origin='log',
        name='state and faults',
        columns=rrb.TextLogColumns(text_log_columns=['LogLevel', 'Body']),
    )
    plots = rrb.Horizontal(
        _plot(rerun, 'speed', 'speed [m/s]', live), _plot(rerun, 'ages', 'ages [ms]', live)
    )
    parts = [rrb.Horizontal(words, log, column_shares=[3, 2]), plots]
    shares = [4, 5]
    if pictures:
        parts.insert(0, rrb.Grid(*pictures, grid_columns=columns(len(pictures))))
        shares.insert(0, 8)
    left = rrb.Vertical(*parts, row_shares=shares)
    return rrb.Blueprint(
        rrb.Horizontal(left, view, column_shares=[8, 5]),
        rrb.BlueprintPanel(state='collapsed'),
        rrb.SelectionPanel(state='collapsed'),
        rrb.TimePanel(
            state='collapsed',
            timeline=TIMELINE,
            play_state='following' if live else 'playing',
        ),
        auto_layout=False,
        auto_views=False,
    )


def _plot(rerun: Any, origin: str, name: str, live: bool) -> Any:
    rrb = rerun.blueprint
    if not live:
        return rrb.TimeSeriesView(origin=origin, name=name)
    window = rerun.VisibleTimeRange(
        TIMELINE,
        start=rerun.TimeRangeBoundary.cursor_relative(seconds=-WINDOW_S),
        end=rerun.TimeRangeBoundary.cursor_relative(),
    )
    return rrb.TimeSeriesView(origin=origin, name=name, time_ranges=[window])
