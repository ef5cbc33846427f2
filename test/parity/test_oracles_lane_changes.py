"""Lane changes against a pattern in the text of a drive: a letter a step, one lane or '-'."""

from __future__ import annotations

import math
import re

import numpy as np
import shapely

from alpamayo_ros import metrics

CAR = (1.4, 4.5, 1.8)
LANE_M, LANES, SPLIT_M = 3.5, 3, 60.0
AREAS = {
    f'{k}{part}': shapely.box(x[0], (k - 0.5) * LANE_M, x[1], (k + 0.5) * LANE_M)
    for k in range(LANES)
    for part, x in (('near', (-50.0, SPLIT_M)), ('far', (SPLIT_M, 400.0)))
}
LEADS = {f'{k}near': (f'{k}far',) for k in range(LANES)}


def letter(x: float, y: float, heading: float) -> str:
    """The number of the lane that holds the car; '-' between two, '.' beside all of them."""
    homes = set()
    for along, across in ((3.65, 0.9), (3.65, -0.9), (-0.85, 0.9), (-0.85, -0.9)):
        aside = y + along * math.sin(heading) + across * math.cos(heading)
        homes.add(math.floor(aside / LANE_M + 0.5))
    on = [k for k in homes if 0 <= k < LANES]
    if not on:
        return '.'
    return str(on[0]) if len(homes) == 1 else '-'


def test_lane_changes_are_those_of_a_pattern():
    rng = np.random.default_rng(11)
    counts = []
    for _ in range(40):
        n = int(rng.integers(80, 240))
        way = np.interp(np.arange(n), np.arange(0, n, 20), rng.uniform(-3, 9, -(-n // 20)))
        kernel = np.ones(15) / 15
        y = np.convolve(np.pad(way, 7, 'edge'), kernel, 'valid')
        x = np.arange(n) * float(rng.uniform(0.4, 1.2))
        poses = np.stack([x, y, np.arctan2(np.gradient(y), np.gradient(x))], 1)
        text = ''.join(letter(*row) for row in poses.tolist())
        found = metrics.lane_changes(poses, np.arange(n) * 0.1, CAR, AREAS, LEADS)
        wanted = [
            (round(m.start(2) * 0.1, 6), m.group(3) not in ('', '.', m.group(1)))
            for m in re.finditer(r'([012])(-+)(?=([012.]|$))', text)
        ]
        assert [(round(c.start_s, 6), c.succeeded) for c in found] == wanted, text
        counts += [c.succeeded for c in found]
    assert counts.count(True) > 10
    assert counts.count(False) > 10
