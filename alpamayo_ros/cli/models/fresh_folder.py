"""A folder that takes the place of another only once it is complete."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from alpamayo_ros.cli.common.refusing import words_of
from alpamayo_ros.statuses import ConfigError, MachineError

ENDS = (signal.SIGINT, signal.SIGTERM)


def check_replaceable(folder: Path) -> None:
    """ConfigError for a folder that cannot give up its place: a mount point, or where one is."""
    target = folder.resolve()
    if os.path.ismount(target) or target == Path.cwd():
        kind = 'the folder you are in' if target == Path.cwd() else 'a mount point'
        raise ConfigError(
            f'{folder} is {kind}, which cannot be replaced as a whole: name a folder in it'
        )


def kept(folder: Path) -> str:
    """What stays where nothing took the place of ``folder``."""
    return f'{folder} is as it was' if folder.exists() else 'nothing was kept'


@contextmanager
def fresh_folder(folder: Path, without: Collection[str] = ()) -> Iterator[Path]:
    """Yields an empty folder beside ``folder`` that takes its place at the end.

    What else lay there moves along, but for the names ``without``.  Ctrl-C, SIGTERM or an
    exception leave ``folder`` as it was and nothing beside it; MachineError for a full disk.
    What a killed process left goes first.
    """
    target = folder.resolve()
    there, prefix = next(p for p in target.parents if p.exists()), f'.{target.name}.partial-'
    _sweep(there, prefix, target.name)
    with (
        _handled(signal.default_int_handler, signal.SIGTERM),
        tempfile.TemporaryDirectory(prefix=prefix, dir=there) as private,
        _held(Path(private)),
    ):
        fresh = Path(private) / target.name  # of the usual mode, which `private` has not
        try:
            fresh.mkdir()
            yield fresh
        except OSError as error:
            said = words_of(error).replace(str(fresh), str(folder))
            named = said if error.filename else f'{folder}: {said}'
            raise MachineError(f'{named}; {kept(folder)}') from error
        with _handled(signal.SIG_IGN, *ENDS):  # for a few milliseconds
            _settle(fresh, target, without)


@contextmanager
def _held(private: Path) -> Iterator[None]:
    """The kernel ends the hold with the process; a file system may know none."""
    handle = os.open(private, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _sweep(there: Path, prefix: str, name: str) -> None:
    """Remove unfinished folders that no process holds; never what lay in the target (``.old``).

    A folder that is being made has no ``name`` in it until it is held.
    """
    for left in [p for p in there.iterdir() if p.name.startswith(prefix) and p.suffix != '.old']:
        if left.is_symlink() or not (left / name).is_dir():
            continue
        handle = os.open(left, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        except OSError:
            continue
        finally:
            os.close(handle)


def _settle(fresh: Path, target: Path, without: Collection[str]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        fresh.rename(target)
        return
    # Deleted only once nothing of it is needed, so not in the temporary folder.
    aside = fresh.parent.with_name(f'{fresh.parent.name}.old')
    target.rename(aside)
    try:
        fresh.rename(target)
    except OSError:
        aside.rename(target)
        raise
    written = {path.name for path in target.iterdir()}.union(without)
    for path in [path for path in aside.iterdir() if path.name not in written]:
        path.rename(target / path.name)
    shutil.rmtree(aside)


@contextmanager
def _handled(
    handler: Callable[[int, Any], Any] | signal.Handlers, *numbers: int
) -> Iterator[None]:
    """Those signals go to ``handler``."""
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
