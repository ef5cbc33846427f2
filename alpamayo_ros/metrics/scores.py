"""Scores of closed-loop drives: AlpaSim's two, and our own ``drive_score``.

``scene_score`` (AlpaSim): 0 after an at-fault collision or off the road, else
min(progress / 0.8, 1); 1 where less than 5 m could be driven.
``km_per_incident`` (AlpaSim's score): km driven / (at-fault collisions + off-road events).

``drive_score`` = S * P * R * (5 + C) / 6, in 0..1:

S  safety: 0 after an at-fault collision or off the road, else 1.  Nothing pays for a crash.
P  progress, not capped at 0.8: who stops short of the goal has not arrived.
R  rules: 0.7 for each red light and 0.8 for each stop line overrun (the penalties of the CARLA
   Leaderboard 2.0), times 1 - the share of the time above the speed limit, times 1 - the share of
   the time on the wrong side (``simulation.road_rules`` defines all four).  A product: a red light
   costs the same on a short and on a long drive, and two cost more than one.
C  comfort: the share of nuPlan's six bounds that were kept.  It moves at most a sixth of the
   score, its weight in NAVSIM's PDMS (2 of 12): a hard stop must never be worth a contact.

Progress and safety multiply (as in nuPlan and PDMS), so a car that never moves scores 0, and so
does one that arrives through another car.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from alpamayo_ros.metrics import FACTS, ratio_ci95, wilson

ENOUGH_PROGRESS = 0.8  # AlpaSim
RED_LIGHT, STOP_LINE = 0.7, 0.8  # CARLA Leaderboard 2.0
COMFORT_SHARE = 1 / 6  # NAVSIM PDMS: weight 2 of 12
NO_INCIDENT_KM = 3.0  # rule of three: n km without an incident bound the rate by 3/n at 95 %

Row = Mapping[str, Any]
Interval = list[float | None] | None


def scene_score(row: Row) -> float:
    """AlpaSim's score of one drive; ``progress`` is 1 where less than 5 m could be driven."""
    if incidents(row):
        return 0.0
    return float(min(row['progress'] / ENOUGH_PROGRESS, 1.0))


def incidents(row: Row) -> int:
    """At-fault collisions and off-road events of one drive (leaving the road ends it)."""
    return int(row['collisions_at_fault']) + int(row['offroad_s'] > 0)


def rules(row: Row) -> float:
    """R of ``drive_score``; a rule that a map does not have costs nothing."""
    red, line = row.get('red_lights') or 0, row.get('stop_lines') or 0
    seconds = max(row['duration_s'], 1e-9)
    shares = ((row.get(name) or 0.0) / seconds for name in ('speeding_s', 'wrong_way_s'))
    kept = math.prod(1.0 - min(share, 1.0) for share in shares)
    return float(RED_LIGHT**red * STOP_LINE**line * kept)


def drive_score(row: Row) -> float:
    """Our score of one drive; see the module.  Comfort that was not evaluable costs nothing."""
    if incidents(row):
        return 0.0
    comfort = row.get('comfort')
    comfort = 1.0 if comfort is None else comfort
    return float(row['progress'] * rules(row) * (1 - COMFORT_SHARE * (1 - comfort)))


# ---- figures of many drives: each a ratio of two sums over runs ---------------------------------
Parts = tuple[float, float]


def _share(test: Callable[[Row], bool]) -> Callable[[Row], Parts]:
    return lambda row: (float(test(row)), 1.0)


def _mean(name: str) -> Callable[[Row], Parts]:
    """Mean over the runs in which it was evaluable."""
    return lambda row: (0.0, 0.0) if row.get(name) is None else (float(row[name]), 1.0)


def _f1(subject: str = '') -> Callable[[Row], Parts]:
    """Of all facts of all drives together, or those of one subject: 2 tp / (2 tp + fp + fn)."""

    def parts(row: Row) -> Parts:
        counts = (row.get('coc_facts_by') or {}).get(subject) if subject else row.get('coc_facts')
        if counts is None:
            return 0.0, 0.0
        tp, fp, fn = counts
        return 2.0 * tp, 2.0 * tp + fp + fn

    return parts


def _exits(row: Row) -> Parts:
    """Instructed exits that were taken, of those that were decided."""
    taken = row.get('exits') or 0
    return float(taken), float(taken + (row.get('missed_exits') or 0))


SHARES: dict[str, Callable[[Row], Parts]] = {
    'at_fault_free_share': _share(lambda row: not row['collisions_at_fault']),
    'incident_free_share': _share(lambda row: not incidents(row)),
    'right_share': _share(lambda row: bool(row['right'])),
    'exits_taken': _exits,
}
FIGURES: dict[str, Callable[[Row], Parts]] = {
    **SHARES,
    'mean_progress': _mean('progress'),
    'scene_score': _mean('scene_score'),
    'drive_score': _mean('drive_score'),
    'km_per_incident': lambda row: (row['distance_m'] / 1000, float(incidents(row))),
    'coc_facts_f1': _f1(),
    **{f'{subject}_f1': _f1(subject) for subject in FACTS},
    'agreement': _mean('agreement'),
    'comfort': _mean('comfort'),
    'rules': _mean('rules'),
}


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """Every figure with its 95 % interval, by resampling the templates of ``rows`` (key ``name``).

    A figure is None where nothing could be evaluated; ``km_per_incident`` is None without an
    incident, and then the interval's lower end is what the distance proves (rule of three) and
    ``km_per_incident_note`` says so.  Intervals are None with fewer than two templates: one
    template says nothing of another.
    """
    names = sorted({row['name'] for row in rows})
    km = math.fsum(row['distance_m'] for row in rows) / 1000
    out: dict[str, Any] = {
        'runs': len(rows),
        'templates': len(names),
        'distance_km': round(km, 4),
        'incidents': sum(map(incidents, rows)),
    }
    for name, parts in FIGURES.items():
        groups = {n: _sum([parts(r) for r in rows if r['name'] == n]) for n in names}
        out[name], out[f'{name}_ci95'] = _interval(name, groups)
    out['km_per_incident_note'] = ''
    if not out['incidents'] and rows:
        least = round(km / NO_INCIDENT_KM, 4)
        out['km_per_incident_ci95'] = [least, None]
        out['km_per_incident_note'] = (
            f'no incident in {km:.2f} km: at 95 % more than {least:.2f} km per incident'
        )
    return out


def _sum(parts: Sequence[Parts]) -> Parts:
    return math.fsum(p[0] for p in parts), math.fsum(p[1] for p in parts)


def _interval(name: str, groups: Mapping[str, Parts]) -> tuple[float | None, Interval]:
    """Figure and interval, for JSON: four digits, None for 'not known' and for infinity.

    A share of none or of all leaves the bootstrap no width: then Wilson's interval, each template
    one trial.
    """
    told = {n: p for n, p in groups.items() if any(p)}
    found = ratio_ci95(told)
    if found is None or not math.isfinite(found.mean):
        return None, None
    ends: tuple[float | None, float | None] = found.low, found.high
    if found.low is None:
        return round(found.mean, 4), None
    if name in SHARES and found.mean in (0.0, 1.0):
        ends = wilson(round(found.mean * len(told)), len(told))
    finite = [None if e is None or not math.isfinite(e) else round(e, 4) for e in ends]
    return round(found.mean, 4), finite
