"""One process a run: who works in a folder is named in it."""

from __future__ import annotations

import os
from pathlib import Path


def lock(root: Path) -> Path:
    """A file that says which process works in ``root``; ValueError where another one does."""
    rank = os.environ.get('RANK', '0')
    other, file = worker(root, rank), _file(root, rank)
    if other and other != str(os.getpid()):
        raise ValueError(f'process {other} trains in {root}: wait for it or end it')
    root.mkdir(parents=True, exist_ok=True)
    file.write_text(str(os.getpid()))
    return file


def worker(root: Path, rank: str = '0') -> str:
    """The living process that works in ``root`` as that rank; empty without one."""
    file = _file(root, rank)
    process = file.read_text() if file.is_file() else ''
    return process if process and Path(f'/proc/{process}').is_dir() else ''


def _file(root: Path, rank: str) -> Path:
    return root / f'rank_{rank}.pid'
