"""Figures of a program that runs beside NVIDIA's own package, in its own environment."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

LIMIT_S = 3000.0  # where other work has the processors; alone it is one or two minutes
SUPPORT = Path(__file__).resolve().parent


def vendor_figures(program: str, folder: Path) -> dict[str, Any]:
    """What ``program`` (below test/support) wrote; skips where the package is not here."""
    home = os.environ.get('ALPAMAYO_NVIDIA', '')
    if not home:
        pytest.skip("ALPAMAYO_NVIDIA names no folder with NVIDIA's package")
    out = folder / 'figures.json'
    command = [str(Path(home) / 'venv/bin/python'), '-I', str(SUPPORT / program), home, str(out)]
    subprocess.run(command, check=True, timeout=LIMIT_S, env={**os.environ, 'HF_HUB_OFFLINE': '1'})
    found: dict[str, Any] = json.loads(out.read_text())
    return found
