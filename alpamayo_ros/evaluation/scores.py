"""Scores of closed-loop drives: AlpaSim's two, and our own ``drive_score``.

``scene_score`` (AlpaSim): 0 after an at-fault collision or off the road, else
min(progress / 0.8, 1); 1 where less than 5 m could be driven.
``km_per_incident`` (AlpaSim's score): km driven / (at-fault collisions + off-road events).

``drive_score`` = S * P * R * (5 + C) / 6, in 0..1:

S  safety: 0 after an at-fault collision or off the road, else 1.  Nothing pays for a crash.
P  progress, not capped at 0.8: who stops short of the goal has not arrived.
R  rules: 0.7 a red light, 0.8 a stop line that was driven over without standing (the penalties of
   the CARLA Leaderboard 2.0), times 1 - the share of the time above the speed limit, times
   1 - the share of the time in the wrong direction.  A product, so that one rule broken costs the
   same on a short and on a long drive, and two cost more than one.
C  comfort: the share of nuPlan's six bounds that were kept.  It moves at most a sixth of the
   score, its weight in NAVSIM's PDMS (2 of 12): a hard stop must never be worth a contact.

Progress and safety multiply (as in nuPlan and PDMS), so a car that never moves scores 0, and so
does one that arrives through another car.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

ENOUGH_PROGRESS = 0.8  # AlpaSim
SHORT_M = 5.0  # AlpaSim: a recorded path shorter than this scores 1
RED_LIGHT, STOP_LINE = 0.7, 0.8  # CARLA Leaderboard 2.0
COMFORT_SHARE = 1 / 6  # NAVSIM PDMS: weight 2 of 12
RESAMPLES, SEED = 2000, 0
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
    kept = (1.0 - (row.get(share) or 0.0) for share in ('speeding_share', 'wrong_way_share'))
    return float(RED_LIGHT**red * STOP_LINE**line * np.prod(list(kept)))


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


def _f1(row: Row) -> Parts:
    """Of all facts of all drives together: 2 tp / (2 tp + fp + fn)."""
    counts = row.get('coc_facts')
    if counts is None:
        return 0.0, 0.0
    tp, fp, fn = counts
    return 2.0 * tp, 2.0 * tp + fp + fn


FIGURES: dict[str, Callable[[Row], Parts]] = {
    'at_fault_free_share': _share(lambda row: not row['collisions_at_fault']),
    'mean_progress': _mean('progress'),
    'scene_score': _mean('scene_score'),
    'drive_score': _mean('drive_score'),
    'km_per_incident': lambda row: (row['distance_m'] / 1000, float(incidents(row))),
    'coc_facts_f1': _f1,
    'agreement': _mean('agreement'),
    'comfort': _mean('comfort'),
    'rules': _mean('rules'),
    'right_share': _share(lambda row: bool(row['right'])),
}


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """Every figure with its 95 % interval, by resampling the templates of ``rows`` (key ``name``).

    A figure is None where nothing could be evaluated; ``km_per_incident`` is None without an
    incident, and then the interval's lower end is what the distance proves (rule of three).
    Intervals are None with fewer than two templates: one template says nothing of another.
    """
    names = sorted({row['name'] for row in rows})
    order = {name: i for i, name in enumerate(names)}
    groups = np.array([order[row['name']] for row in rows], dtype=int)
    km = sum(row['distance_m'] for row in rows) / 1000
    out: dict[str, Any] = {
        'runs': len(rows),
        'templates': len(names),
        'distance_km': round(km, 4),
        'incidents': sum(map(incidents, rows)),
    }
    draws = resamples(len(names))
    for name, parts in FIGURES.items():
        table = np.array([parts(row) for row in rows], dtype=float).reshape(-1, 2)
        sums = np.zeros((len(names), 2))
        np.add.at(sums, groups, table)
        out[name], out[f'{name}_ci95'] = ratio_ci95(sums, draws)
    if not out['incidents']:
        out['km_per_incident_ci95'] = [round(km / NO_INCIDENT_KM, 4), None]
    return out


def resamples(count: int) -> Float[np.ndarray, 'R count']:
    """How often each of ``count`` groups is drawn in each of 2000 resamples; always the same."""
    rng = np.random.default_rng(SEED)
    if count == 0:
        return np.zeros((RESAMPLES, 0))
    drawn = rng.integers(0, count, (RESAMPLES, count))
    return np.stack([(drawn == i).sum(1) for i in range(count)], 1).astype(float)


def ratio_ci95(
    sums: Float[np.ndarray, 'G 2'], draws: Float[np.ndarray, 'R G']
) -> tuple[float | None, Interval]:
    """Sum of numerators over sum of denominators, and its percentile bootstrap interval over the
    G groups (Efron and Tibshirani 1993, chapter 13).

    An end of the interval is None where a resample's denominator is 0: no bound is known.
    """
    over, under = sums.sum(0) if len(sums) else (0.0, 0.0)
    value = round(float(over / under), 4) if under > 0 else None
    if len(sums) < 2 or value is None:
        return value, None
    drawn = draws @ sums
    with np.errstate(divide='ignore', invalid='ignore'):
        ratios = np.where(drawn[:, 1] > 0, drawn[:, 0] / drawn[:, 1], np.inf)
    low, high = np.quantile(ratios, (0.025, 0.975), method='inverted_cdf')
    return value, [round(float(v), 4) if np.isfinite(v) else None for v in (low, high)]
