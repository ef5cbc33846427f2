"""Our path beside NVIDIA's own class with a tiny random model: what enters it, what leaves it.

``ALPAMAYO_NVIDIA`` names a folder with ``alpamayo1.5`` (a checkout of NVlabs/alpamayo1.5),
``venv`` (transformers 4.57.1, torch, torchvision, einops, hydra-core, scipy, tiktoken) and
``qwen.tiktoken`` (Qwen's vocabulary, from the package qwen_agent).  Without it these tests skip;
``test_nvidia_golden.py`` compares with figures that were stored.
"""

from __future__ import annotations

from typing import Any

import pytest
from vendor_figures import LIMIT_S, vendor_figures


@pytest.fixture(scope='module')
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Everything that the program found, once for all tests."""
    return vendor_figures('released/parity.py', tmp_path_factory.mktemp('nvidia'))


pytestmark = [pytest.mark.slow, pytest.mark.timeout(LIMIT_S + 60.0)]


def test_what_enters_the_model_is_equal(figures):
    assert len(figures['inputs']) == 9
    for case in figures['inputs']:
        assert case['ids_equal'] and case['text_equal'] and case['pixels'] == 0.0, case


def test_past_motion_is_equal(figures):
    for name, case in figures['motion'].items():
        assert case['xyz'] <= 1e-12 and case['rot'] <= 1.2e-7, name
        assert case['bins_equal'], name
    assert {0, 999} & set(figures['motion']['beyond_bins']['bins'])


@pytest.mark.parametrize('case', ['each_1', 'each_3', 'greedy'])
def test_candidates_are_equal(figures, case):
    assert figures['plans'][case] == 0.0
    assert figures['plans']['spread_m'] > 0.1  # else it would compare constants


@pytest.mark.parametrize('weight', ['0', '1', '1.5'])
def test_guidance_is_equal(figures, weight):
    assert figures['guidance'][f'weight_{weight}'] == 0.0
    assert figures['guidance']['moved_m'] > 0.01


def test_a_text_without_its_end_is_truncated(figures):
    assert figures['plans']['each_3_truncated'] is True


def test_a_second_cycle_encodes_four_pictures_and_reads_the_prompt_once(figures):
    assert figures['cycles']['new_pictures'] == [16, 4]
    assert len(figures['cycles']['prompt_passes']) == 1
    assert figures['cycles']['prompt_passes'][0][0] == 1  # one row for three candidates


def test_what_is_kept_changes_no_plan(figures):
    assert figures['cycles']['denoise_twice'] == 0.0
    assert figures['cycles']['kept_against_fresh'] == 0.0


@pytest.mark.parametrize('speed', [-3.0, 0.0, 8.0, 20.0])
def test_the_action_space_is_that_of_our_equations(figures, speed):
    case = figures['unicycle'][str(speed)]
    assert case['float64_m'] <= 1e-9
    # its float32 knows a position of 130 m to 1.5e-5 m: what is left is its own rounding
    assert case['float32_m'] <= (1e-5 if speed <= 8.0 else case['its_own_m'] + 1e-9)


def test_a_plan_from_the_odometers_speed_is_that_of_our_equations(figures):
    assert figures['cycles']['odometry_speed_m'] <= 1e-5
