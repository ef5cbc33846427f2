"""Our networks against NVIDIA's class behind whole prompts: words, candidates, guidance, its call.

``ALPAMAYO_NVIDIA`` names a folder as in ``test_nvidia_parity.py``; without it these tests skip.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from vendor_figures import LIMIT_S, vendor_figures

CLOSE = 1e-4  # m, rad


@pytest.fixture(scope='module')
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Everything that the program found, once for all tests."""
    return vendor_figures('released_networks/own_parity.py', tmp_path_factory.mktemp('own'))


pytestmark = [pytest.mark.slow, pytest.mark.timeout(LIMIT_S + 60.0)]


@pytest.mark.parametrize('case', ['cut', 'ended'])
def test_words_and_candidates_are_the_vendors(figures, case):
    for name, found in figures[case].items():
        assert found['ids_equal'] and found['text_equal'], name
        assert found['truncated'] == [case == 'cut'] * 2, name
        assert found['far'] <= CLOSE, name
        assert found['words'] == 24 if case == 'cut' else 2 < found['words'] < 24, name


def test_only_new_pictures_are_encoded(figures):
    every = figures['cut']
    assert every['1  0']['new'] == [8, 8] and every['1  1']['new'] == [2, 2]


def test_the_instruction_and_its_weight_matter(figures):
    """Else the comparisons above would be of constants."""
    ends = {name: np.array(found['ends']) for name, found in figures['cut'].items()}
    left = 'Turn left in 40m 0'
    for one, other in (('1  0', f'1 {left}'), (f'0 {left}', f'1.5 {left}')):
        assert np.abs(ends[one] - ends[other]).max() > 1e-2
