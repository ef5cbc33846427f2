"""``alpamayo train evaluate``: a run's weights exported and driven through ``val``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import typer

COMMAND = 'from alpamayo_ros.cli.main import main; main()'


def evaluate(root: Path, profile: str, seeds: str, limit: int | None) -> None:
    """Export into ``root/evaluated`` and score there; the suite's figures go to ``val.json``."""
    model, figures = root / 'evaluated', root / 'val.json'
    _alpamayo('export', str(root), '--to', str(model), '--profile', profile)
    words = ['--suite', 'val', '--seeds', seeds, '--objects', 'none', '--model', str(model)]
    words += ['--profile', profile, '--json', str(figures)]
    words += [] if limit is None else ['--limit', str(limit)]
    _alpamayo('sim', *words)


def _alpamayo(*words: str) -> None:
    """Another command of ours; its status is ours where it fails."""
    done = subprocess.run([sys.executable, '-c', COMMAND, *words], check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)
