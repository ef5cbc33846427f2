"""How much room the disk of a recording has left, against the limits."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits


def free_bytes(folder: Path) -> int:
    """Room that is left on the disk of ``folder``."""
    return shutil.disk_usage(folder).free


@dataclass(frozen=True, slots=True)
class DiskRoom:
    """The disk of ``folder``; ``free`` says how many bytes are left on it."""

    folder: Path
    limits: Limits
    free: Callable[[Path], int] = free_bytes

    def check(self) -> Fault | None:
        """DISK_FULL where a recording ends, DISK_WARN before that, else None."""
        left = self.free(self.folder)
        for code, limit in (
            (Code.DISK_FULL, self.limits.disk_bytes),
            (Code.DISK_WARN, self.limits.disk_warn_bytes),
        ):
            if not left >= limit:
                values: dict[str, float | str] = {'free_bytes': float(left), 'limit_bytes': limit}
                return Fault(code, f'{self.folder}.', values)
        return None

    def refused(self, error: OSError) -> Fault:
        """DISK_FULL, whatever kept the disk from taking more."""
        values = {'errno': float(error.errno or 0)}
        return Fault(Code.DISK_FULL, f'{self.folder}: {error.strerror or error}', values)
