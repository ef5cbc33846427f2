"""One command at a time writes into a folder, or to a file."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from alpamayo_ros.statuses import ConfigError

HELD = (errno.EWOULDBLOCK, errno.EACCES)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold ``folder``, made where it is missing; ConfigError for a second command meanwhile.

    The kernel ends the hold with the process, so that nothing is left of one that was killed.
    A file system that knows no locks is written to unheld.  What was made and is empty goes again.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _hold(handle, folder, 'folder')
        yield
    finally:
        os.close(handle)
        for path in made:
            with suppress(OSError):
                path.rmdir()


@contextmanager
def alone_with(file: Path | None) -> Iterator[None]:
    """Hold a file that is written at the end, by an empty one beside it, ``FILE.lock``.

    As :func:`alone`; None holds nothing.
    """
    if file is None:
        yield
        return
    lock = file.with_name(f'{file.name}.lock')
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _hold(handle, file, 'file')
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)
    finally:
        os.close(handle)


def _hold(handle: int, path: Path, kind: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in HELD:
            text = f'another command writes to it now; wait for its end, or name another {kind}'
            raise ConfigError(f'{path}: {text}') from error
