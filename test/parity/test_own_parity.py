"""Our networks against NVIDIA's class behind whole prompts: words, candidates, guidance, its call.

``ALPAMAYO_NVIDIA`` names a folder as in ``test_nvidia_parity.py``; without it these tests skip.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PROGRAM = Path(__file__).resolve().parents[1] / 'support/released_networks/own_parity.py'
LIMIT_S = 3000.0  # where other work has the processors
CLOSE = 1e-4  # m, rad


@pytest.fixture(scope='module')
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Everything that the program found, once for all tests."""
    home = os.environ.get('ALPAMAYO_NVIDIA', '')
    if not home:
        pytest.skip("ALPAMAYO_NVIDIA names no folder with NVIDIA's package")
    out = tmp_path_factory.mktemp('own') / 'figures.json'
    command = [str(Path(home) / 'venv/bin/python'), '-I', str(PROGRAM), home, str(out)]
    subprocess.run(command, check=True, timeout=LIMIT_S, env={**os.environ, 'HF_HUB_OFFLINE': '1'})
    found: dict[str, Any] = json.loads(out.read_text())
    return found


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
