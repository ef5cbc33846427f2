"""The stored figures of our networks' test are still what NVIDIA's own class gives.

``ALPAMAYO_NVIDIA`` names a folder as in ``test_nvidia_parity.py``; without it this test skips.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.released_networks import toy

from alpamayo_ros.runtime.nvidia.child.pictures import patches

FOLDER = Path(__file__).resolve().parents[1] / 'support/released_networks'
LIMIT_S = 3000.0


@pytest.mark.slow
def test_the_golden_figures_are_the_vendors(tmp_path):
    home = os.environ.get('ALPAMAYO_NVIDIA', '')
    if not home:
        pytest.skip("ALPAMAYO_NVIDIA names no folder with NVIDIA's package")
    rows, out = tmp_path / 'rows.npy', tmp_path / 'found.json'
    np.save(rows, patches(toy.pictures()))
    command = [str(Path(home) / 'venv/bin/python'), str(FOLDER / 'vendor.py')]
    command += [home, str(rows), str(out)]
    subprocess.run(command, check=True, timeout=LIMIT_S, env={**os.environ, 'HF_HUB_OFFLINE': '1'})
    found, stored = json.loads(out.read_text()), json.loads((FOLDER / 'golden.json').read_text())
    for case in ('cut', 'ended'):
        assert found[case]['words'] == stored[case]['words']
        far = np.abs(np.subtract(found[case]['points'], stored[case]['points'])).max()
        assert far <= 1e-4
