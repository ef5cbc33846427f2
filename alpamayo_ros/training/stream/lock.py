"""One process a run: who works in a folder is named in it."""

from __future__ import annotations

import os
from pathlib import Path


def lock(root: Path) -> Path:
    """A file that says which process works in ``root``; ValueError where another one does."""
    file = root / f'rank_{os.environ.get("RANK", "0")}.pid'
    if file.is_file():
        other = file.read_text()
        if other != str(os.getpid()) and Path(f'/proc/{other}').is_dir():
            raise ValueError(f'process {other} trains in {root}: wait for it or end it')
    root.mkdir(parents=True, exist_ok=True)
    file.write_text(str(os.getpid()))
    return file
