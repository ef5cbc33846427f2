"""Bounds on the model process: files, memory, and who dies first when a machine has none left."""

from __future__ import annotations

import resource
from functools import cache
from pathlib import Path

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits

LOOK_S = 1.0  # the process is looked at after each reply, and this often while it loads or rests
FIRST_TO_DIE = '1000'  # of -1000 to 1000 (proc_pid_oom_score_adj(5)); anybody may raise his own
CGROUP = Path('/sys/fs/cgroup/memory.max')


def bound_self(files: int) -> None:
    """In the model process: at most ``files`` open; the kernel takes it before any other node."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    least = files if hard == resource.RLIM_INFINITY else min(files, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (least, least))
    try:
        Path('/proc/self/oom_score_adj').write_text(FIRST_TO_DIE)
    except OSError:  # a container without /proc: the order is then the kernel's own
        return


@cache
def machine_bytes() -> float:
    """Memory of the machine, or of the control group where that is less."""
    total = _kilobytes(Path('/proc/meminfo'), 'MemTotal')
    try:
        return min(total, float(CGROUP.read_text()))
    except (OSError, ValueError):  # no control groups, or 'max'
        return total


def used_bytes(pid: int) -> float:
    """Memory of a process that nobody can take back; mapped files (weights) are not counted."""
    return _kilobytes(Path(f'/proc/{pid}/status'), 'RssAnon')


def memory_fault(used: float, total: float, limits: Limits) -> Fault | None:
    """MODEL_MEMORY where a process holds more than its share of the machine's memory (bytes)."""
    if used <= limits.model_memory_ratio * total:
        return None
    share = limits.model_memory_ratio
    text = f'{used / 1e9:.1f} GB of {total / 1e9:.1f} GB, its share is {share:.0%}'
    return Fault(Code.MODEL_MEMORY, text, {'bytes': used, 'limit_bytes': share * total})


def memory_of(pid: int, limits: Limits) -> Fault | None:
    """``memory_fault`` of a running process."""
    return memory_fault(used_bytes(pid), machine_bytes(), limits)


def _kilobytes(table: Path, name: str) -> float:
    """A row of a table of /proc in bytes, 0 where it is missing."""
    try:
        rows = [line.split() for line in table.read_text().splitlines()]
    except OSError:  # the process has ended
        return 0.0
    return next((float(row[1]) * 1024 for row in rows if row and row[0] == f'{name}:'), 0.0)
