"""Shared memory of Fast DDS whose owner was killed: found by its lock, removed at a graph's start.

A participant holds an exclusive ``flock`` on ``fastdds_<id>_el`` as long as it lives (eProsima's
``fastdds shm clean`` goes by it too), and SIGKILL leaves the file and ``fastdds_<id>`` behind.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SHM = Path('/dev/shm')  # noqa: S108  Fast DDS puts its segments here
LOCK = re.compile(r'(fastdds|fastrtps)_[0-9a-f]{16}_el')  # 3.x and 2.x
YOUNG_S = 10.0  # a participant that has just begun may not have its lock yet


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment without an owner, its lock file and its size."""

    path: Path
    lock: Path
    size_bytes: int


def dead_segments(now_s: float, folder: Path = SHM) -> list[Segment]:
    """Segments of this user whose owner is gone for sure, by name."""
    locks = sorted(p for p in folder.glob('fast*_el') if LOCK.fullmatch(p.name))
    return [found for lock in locks for found in _dead(lock, now_s)]


def remove_dead_segments(now_s: float, folder: Path = SHM) -> list[Segment]:
    """Remove what ``dead_segments`` finds, each under its lock; what was removed."""
    removed = []
    for segment in dead_segments(now_s, folder):
        with _ownerless(segment.lock, now_s) as ownerless:
            if ownerless:
                segment.path.unlink(missing_ok=True)
                segment.lock.unlink(missing_ok=True)
                removed.append(segment)
    return removed


def freed(now_s: float, folder: Path = SHM) -> str:
    """Remove it before a graph starts, and say how much that was; '' where there was none."""
    removed = remove_dead_segments(now_s, folder)
    size = sum(segment.size_bytes for segment in removed) / 1e6
    text = f'shared memory of {len(removed)} killed nodes was freed ({size:.0f} MB)'
    return text if removed else ''


def _dead(lock: Path, now_s: float) -> list[Segment]:
    """The segment of ``lock`` where nobody owns it."""
    path = lock.with_name(lock.name.removesuffix('_el'))
    with _ownerless(lock, now_s) as ownerless:
        if not ownerless:
            return []
        try:
            found = path.lstat()
        except FileNotFoundError:  # the lock alone was left
            return [Segment(path, lock, 0)]
        return [Segment(path, lock, found.st_size)] if _own(found) else []


@contextmanager
def _ownerless(lock: Path, now_s: float) -> Iterator[bool]:
    """Whether the lock could be taken; it is held inside."""
    try:
        handle = os.open(lock, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # another user's, a link, or gone
        yield False
        return
    try:
        found = os.fstat(handle)
        yield _own(found) and now_s - found.st_mtime >= YOUNG_S and _taken(handle)
    finally:
        os.close(handle)


def _own(found: os.stat_result) -> bool:
    """Whether it is a plain file of this user."""
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()


def _taken(handle: int) -> bool:
    """Take the lock; False where another process holds it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
