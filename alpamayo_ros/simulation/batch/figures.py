"""Rows of many drives in a few figures, with intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from alpamayo_ros.metrics import wilson

ABLATION_M = 150.0  # a drive without sight should end before this distance


def ended_early(row: dict[str, Any]) -> bool:
    """Whether a drive stood still or left the road before 150 m."""
    failed = row['end'] in ('stalled', 'offroad', 'collision', 'stopped')
    return bool(row['distance_m'] < ABLATION_M and failed)


def summarise(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Counts, shares with 95 % intervals, offsets, scores.

    ``moved_on``: of the drives that stood on their way and did not end behind a car that stays.
    ``time_gap_s``: mean over the drives that settled behind somebody, None where none did.
    """
    count = len(rows)
    driven = [r for r in rows if r['distance_m'] > 0]

    def share(hits: int, of: int = count) -> dict[str, Any]:
        low, high = wilson(hits, of)
        return {'count': hits, 'of': of, 'interval_95': [round(low, 4), round(high, 4)]}

    def mean(key: str) -> float:
        return round(sum(r[key] for r in rows) / max(count, 1), 4)

    stood = [r['moved_on'] for r in rows if r['moved_on'] is not None and r['end'] != 'stopped']
    gaps = [r['time_gap_s'] for r in rows if r.get('time_gap_s') is not None]
    length = sum(r['distance_m'] for r in driven)
    offset = sum(r['mean_offset_m'] * r['duration_s'] for r in driven)
    return {
        'drives': count,
        'right': share(sum(r['right'] for r in rows)),
        'without_contact': share(sum(not r['collisions'] for r in rows)),
        'on_the_road': share(sum(r['offroad_s'] == 0 for r in rows)),
        'kept_the_lane': share(sum(not r['left_lane'] for r in rows)),
        'moved_on': share(sum(stood), len(stood)),
        'ended_before_150_m': share(sum(map(ended_early, rows))),
        'ends': dict(sorted(Counter(r['end'] for r in rows).items())),
        'mean_offset_m': round(offset / max(sum(r['duration_s'] for r in driven), 1e-9), 4),
        'score': mean('score'),
        'progress': mean('progress'),
        'mean_speed_mps': round(length / max(sum(r['duration_s'] for r in driven), 1e-9), 3),
        'time_gap_s': round(sum(gaps) / len(gaps), 3) if gaps else None,
        'distance_km': round(length / 1000, 3),
        'collisions_at_fault': sum(r['collisions_at_fault'] for r in rows),
        'fallback_plans': sum(r['fallback_plans'] for r in rows),
    }
