"""What a graph leaves when it has ended: processes, segments in shared memory, files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from graph import leftovers

from alpamayo_ros import shared_memory

# open in its owner alone
LOCK = re.compile(f'{shared_memory.SHM}/{shared_memory.LOCK.pattern}')


class LeftBehind:
    """Watches one domain, whose processes write their files below ``folder``."""

    def __init__(self, domain: int, folder: Path) -> None:
        self.domain, self.folder = domain, folder
        self.segments: set[str] = set()

    def note(self, pids: Iterable[int]) -> None:
        """Remember the segments that these processes own now."""
        for pid in pids:
            self.segments |= {found.removesuffix('_el') for found in opened(pid, LOCK)}

    def processes(self) -> list[str]:
        """Process ids of this package that still run in the domain."""
        return leftovers(self.domain)

    def shared_memory(self) -> list[str]:
        """Segments of processes that were noted, and locks of them, that are still there."""
        names = [name for one in sorted(self.segments) for name in (one, f'{one}_el')]
        return [name for name in names if os.path.exists(name)]

    def files(self) -> list[str]:
        """Everything below the folder."""
        return sorted(str(p.relative_to(self.folder)) for p in self.folder.rglob('*'))


def opened(pid: int, wanted: re.Pattern[str]) -> set[str]:
    """Files that a process holds open whose whole path is ``wanted``; none of one that is gone."""
    found: set[str] = set()
    try:
        handles = list(Path(f'/proc/{pid}/fd').iterdir())
    except OSError:
        return found
    for handle in handles:
        try:
            path = os.readlink(handle)
        except OSError:
            continue
        if wanted.fullmatch(path):
            found.add(path)
    return found
