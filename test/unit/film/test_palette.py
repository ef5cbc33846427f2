"""Every two meanings of colour can be told apart, also by people who see no red or no green."""

import json
import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import yaml

from alpamayo_ros import palette
from alpamayo_ros.bags import marker_style

ROOT = Path(__file__).resolve().parents[3]
LEAST = 20.0  # CIE76
# Machado, Oliveira and Fernandes 2009, table of severity 1.0; they act on linear RGB.
SEEN_BY = {
    'most people': np.eye(3),
    'protanopia': np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    'deuteranopia': np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
TO_XYZ = np.array(  # IEC 61966-2-1, D65
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE = np.array([0.95047, 1.0, 1.08883])


def lab(colour: palette.Rgb, seen: np.ndarray) -> np.ndarray:
    """CIE 1976 L*a*b* of a colour as somebody sees it."""
    c = np.array(colour) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(seen @ linear, 0.0, 1.0) / WHITE
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def of_hex(text: str) -> palette.Rgb:
    r, g, b = bytes.fromhex(text[1:7])
    return r, g, b


SETS = {
    'scene': palette.SCENE,
    'states': palette.STATES,
    'plots': {name: of_hex(light) for name, (light, _) in palette.PLOTS.items()},
    'plots in the dark': {name: of_hex(dark) for name, (_, dark) in palette.PLOTS.items()},
}


@pytest.mark.parametrize('seen', SEEN_BY)
@pytest.mark.parametrize('name', SETS)
def test_any_two_meanings_are_far_apart(name, seen):
    found = {meaning: lab(colour, SEEN_BY[seen]) for meaning, colour in SETS[name].items()}
    apart = {
        pair: float(np.linalg.norm(found[pair[0]] - found[pair[1]]))
        for pair in combinations(found, 2)
    }
    near = {pair: round(far, 1) for pair, far in apart.items() if far < LEAST}
    assert not near


def test_the_measure_is_that_of_the_standard():
    white, red = lab((255, 255, 255), np.eye(3)), lab((255, 0, 0), np.eye(3))
    assert white == pytest.approx([100, 0, 0], abs=0.01)
    assert red == pytest.approx([53.24, 80.09, 67.20], abs=0.02)  # of sRGB red under D65
    confused = [lab(c, SEEN_BY['deuteranopia']) for c in ((163, 101, 40), (100, 128, 30))]
    seen = [lab(c, np.eye(3)) for c in ((163, 101, 40), (100, 128, 30))]
    assert np.linalg.norm(confused[0] - confused[1]) < LEAST < np.linalg.norm(seen[0] - seen[1])


def test_a_cost_goes_from_cheap_to_dear_and_none_is_grey():
    assert palette.of_cost(1.0, 1.0, 3.0) == palette.CHEAP
    assert palette.of_cost(3.0, 1.0, 3.0) == palette.DEAR
    assert palette.of_cost(2.0, 2.0, 2.0) == palette.CHEAP
    assert palette.of_cost(9.0, 1.0, 3.0) == palette.DEAR
    for nothing in (None, math.nan, math.inf, -math.inf):
        assert palette.of_cost(nothing, 1.0, 3.0) == palette.NO_COST


def test_layouts_and_markers_show_the_plan_as_the_film_does():
    plan = palette.as_hex(palette.PLAN)
    layout = yaml.safe_load((ROOT / 'rviz' / 'alpamayo.rviz').read_text())
    rviz = layout['Visualization Manager']['Displays']
    paths = [d for d in rviz if d['Class'] == 'rviz_default_plugins/Path']
    shown = {d['Topic']['Value']: tuple(map(int, d['Color'].split('; '))) for d in paths}
    route = palette.as_hex(shown.pop('/alpamayo/route'))
    assert len(shown) == 2 and set(shown.values()) == {palette.PLAN}
    layout = json.loads((ROOT / 'config' / 'foxglove' / 'alpamayo.json').read_text())
    topics = layout['configById']['3D!scene']['topics']
    assert set(topics['/alpamayo/route']['gradient']) == {f'{route}ff'}
    for topic in ('/alpamayo/path', '/alpamayo/shadow/path'):
        assert set(topics[topic]['gradient']) == {f'{plan}ff'}
    assert marker_style.CHOSEN == palette.share_of_one(palette.PLAN, 1.0)
    assert marker_style.cost_colour(1.0, 1.0, 2.0) == palette.share_of_one(
        palette.CHEAP, marker_style.CANDIDATE_OPACITY
    )
