"""Our inputs against figures that NVIDIA's own code gave (``test/support/released/golden.json``).

``test/parity/test_nvidia_parity.py`` makes these comparisons live; its program wrote the file.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
from released.histories import histories, levels, pictures, sample
from released.unicycle import points

from alpamayo_ros.profile import load_profile
from alpamayo_ros.released_contract import prompt_tokens
from alpamayo_ros.runtime.nvidia.child.motion import past, step_bins
from alpamayo_ros.runtime.nvidia.child.pictures import in_order, patches
from alpamayo_ros.runtime.nvidia.child.prompt import prompt_text
from alpamayo_ros.runtime.nvidia.start_speed import start_speed

SUPPORT = Path(__file__).resolve().parents[2] / 'support'

GOLDEN = json.loads((SUPPORT / 'released/golden.json').read_text())
PROFILE = load_profile('nvidia-1.5-10b')


@pytest.mark.parametrize('case', GOLDEN['inputs'], ids=lambda c: f'{len(c["views"])} {c["route"]}')
def test_the_prompt_is_the_vendors(case):
    text = prompt_text(case['views'], 4, 180, 16, case['route'], named=True)
    assert hashlib.sha256(text.encode()).hexdigest() == case['text_sha256']
    if not case['route']:
        assert prompt_tokens(case['views'], 4, 180, named=True) == case['tokens']


@pytest.mark.parametrize('case', GOLDEN['inputs'][::3], ids=lambda c: str(len(c['views'])))
def test_the_patches_are_the_vendors(case):
    found = patches(in_order(pictures(len(case['views']), 3)))
    assert found.shape == (len(case['views']) * 4 * 720, 1536) and found.dtype == np.float32
    shown = levels(found)
    assert np.abs(np.array(sample(shown)) - case['levels']).max() <= 1
    assert abs(float(shown.mean()) - case['levels_mean']) <= 0.01
    assert np.abs(found - (shown / np.float32(127.5) - 1)).max() <= 1e-6


@pytest.mark.parametrize('name', sorted(GOLDEN['motion']))
def test_past_motion_is_the_vendors(name):
    poses, wanted = histories()[name], GOLDEN['motion'][name]
    assert step_bins(past(poses)[0]).tolist() == wanted['bins']
    assert math.isclose(start_speed(poses, 0.1), wanted['speed_mps'], abs_tol=2e-3)


@pytest.mark.parametrize('speed', sorted(GOLDEN['unicycle']))
def test_actions_lead_where_the_vendors_lead(speed):
    draws = np.random.default_rng(2).normal(size=(1000, 64, 2)).astype(np.float32)
    ends = points(draws[:4], float(speed))[:, -1, :2]
    assert np.abs(ends - GOLDEN['unicycle'][speed]['ends_of_first_4']).max() <= 1e-8
