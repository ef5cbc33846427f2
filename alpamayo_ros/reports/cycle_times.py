"""Ages and times of a recorded drive: one place for the names, the counting is ``summary``'s."""

from __future__ import annotations

from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports.demo_summary import misses, percentiles, plan_ages_ms

__all__ = ['cycle_ms', 'input_ages_ms', 'misses', 'percentiles', 'plan_ages_ms', 'timing']


def input_ages_ms(recording: Recording) -> list[float]:
    """Age of the pictures when their candidates left the planner: publication minus t0 [ms]."""
    return [(c.published_ns - c.t0_ns) / 1e6 for c in recording.all(events.Candidates)]


def cycle_ms(recording: Recording) -> list[float]:
    """Wall time of each cycle [ms]."""
    return [t.wall_ms for t in recording.all(events.Timing)]


def timing(recording: Recording) -> dict[str, float | None]:
    """Ages, cycle times and deadline misses under their names in ``METRICS``."""
    out: dict[str, float | None] = {}
    for name, values in (
        ('input_age_ms', input_ages_ms(recording)),
        ('plan_age_ms', plan_ages_ms(recording)),
        ('cycle_ms', cycle_ms(recording)),
    ):
        found = percentiles(values)
        out[f'{name}_p50'], out[f'{name}_p99'] = found.p50, found.p99
    cycles = len(recording.all(events.Timing))
    out['deadline_misses'] = float(misses(recording)) if cycles else None
    return out
