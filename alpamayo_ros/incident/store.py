"""The folder of incidents: each file whole or not there, the oldest gone when there are many."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from alpamayo_ros.bags.bag import ABOUT
from alpamayo_ros.bags.disk_room import DiskRoom
from alpamayo_ros.bags.mcap_writer import McapWriter
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.incident.ring import Entry

NAME = re.compile(r'incident_\d{8}T\d{6}Z_[A-Z]+(_\d+)?\.(mcap|rig\.yaml)(\.part)?')
DOUBTED = 'DOUBTED'  # in the name of a file of which nobody knows whether the driver caused it
DOUBTED_FILES = 3  # of these at most, beside the others
LOOK_BYTES = 16 << 20  # written between two looks at the room that is left


@dataclass(frozen=True, slots=True)
class Keep:
    """At most so many files, and bytes of all of them; files in doubt count apart."""

    files: int
    bytes: int


class IncidentFolder:
    """Writes and forgets; ``fault`` is DISK_WARN or DISK_FULL as of the last file or look.

    Nothing is touched that does not have the name of an incident.  OSError where the folder cannot
    be made or written.
    """

    def __init__(self, folder: Path, keep: Keep, room: DiskRoom) -> None:
        """Make the folder and drop what a killed process left unfinished; another's stays."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.fault = folder, room.check()
        self._keep, self._room = keep, room
        for path in sorted(self._named()):  # a bag's part before its rig
            left = path.suffix == '.part' and not _is_written(path)
            if left or (path.name.endswith('.rig.yaml') and _is_lonely(path)):
                path.unlink(missing_ok=True)
        self._forget()

    def look(self) -> None:
        """How much room there is now."""
        self.fault = self._room.check()

    @property
    def files(self) -> list[Path]:
        """Every incident there is, oldest first."""
        return sorted((p for p in self._named() if p.suffix == '.mcap'), key=_age)

    def write(
        self, name: str, entries: list[Entry], about: dict[str, str], rig: str
    ) -> Path | Fault:
        """A file called ``name`` with ``entries``, ``rig`` beside it; DISK_FULL: there is none.

        ``about`` is what the file says of itself.
        """
        path = self._free(name)
        part = _part(path)
        size = sum(len(e.data) for e in entries)
        self.fault = self._full(size) or self._room.check()
        if self.fault is not None and self.fault.code is Code.DISK_FULL:
            return self.fault
        try:
            refused = self._fill(part, entries, about)
            if refused is None:
                path.with_suffix('.rig.yaml').write_text(rig, encoding='utf-8')
                os.replace(part, path)
                _sync(self.folder)
        except OSError as error:
            refused = self._room.refused(error)
        if refused is not None:
            for left in (part, path.with_suffix('.rig.yaml')):
                with suppress(OSError):  # the next start tries again
                    left.unlink()
            self.fault = refused
            return refused
        self._forget()
        return path

    def _fill(self, part: Path, entries: Iterable[Entry], about: dict[str, str]) -> Fault | None:
        """The unfinished file, complete and on the disk; DISK_FULL where room ran out."""
        channels: dict[str, int] = {}
        since = 0
        with part.open('xb', buffering=0) as file:
            with suppress(OSError):  # a file system may know no locks
                fcntl.flock(file, fcntl.LOCK_EX)  # another recorder leaves it alone
            writer = McapWriter(file)
            writer.note_now(ABOUT, about)
            for entry in entries:
                topic = entry.topic
                if topic.name not in channels:
                    offered = {'offered_qos_profiles': entry.qos}
                    channels[topic.name] = writer.channel(topic, offered)
                writer.write(channels[topic.name], entry.time_ns, entry.data)
                since += len(entry.data)
                if since > LOOK_BYTES:
                    since, found = 0, self._room.check()
                    if found is not None and found.code is Code.DISK_FULL:
                        return found
            writer.close()
            os.fsync(file.fileno())
        return None

    def _full(self, size: int) -> Fault | None:
        """DISK_FULL where a file of so many bytes would take the room that has to stay."""
        free = self._room.free(self.folder)
        limit = self._room.limits.disk_bytes
        if free - size >= limit:
            return None
        values: dict[str, float | str] = {'free_bytes': float(free), 'limit_bytes': limit}
        values['needed_bytes'] = float(size)
        return Fault(Code.DISK_FULL, f'{self.folder}.', values)

    def _forget(self) -> None:
        """Drop the oldest beyond the bounds; those in doubt by themselves."""
        doubted = [p for p in self.files if _doubted(p)]
        files = [p for p in self.files if not _doubted(p)]
        _drop(doubted[:-DOUBTED_FILES])
        sizes = [p.stat().st_size for p in files]
        while files and (len(files) > self._keep.files or sum(sizes) > self._keep.bytes):
            sizes.pop(0)
            _drop([files.pop(0)])

    def _free(self, name: str) -> Path:
        """A path of that name that nobody has yet."""
        number, path = 1, self.folder / f'{name}.mcap'
        while path.exists() or path.is_symlink() or _part(path).is_file():
            number += 1
            path = self.folder / f'{name}_{number}.mcap'
        if not NAME.fullmatch(path.name):
            raise ValueError(f'{path.name!r} is no name of an incident')
        return path

    def _named(self) -> list[Path]:
        """Regular files with the name of an incident; a link is nobody's."""
        found = [p for p in self.folder.iterdir() if NAME.fullmatch(p.name)]
        return [p for p in found if p.is_file() and not p.is_symlink()]


def _part(path: Path) -> Path:
    return path.with_name(path.name + '.part')


def _is_written(part: Path) -> bool:
    """Whether a living recorder holds it."""
    with part.open('rb') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            return isinstance(error, BlockingIOError)
    return False


def _is_lonely(rig: Path) -> bool:
    """Whether there is no incident, whole or unfinished, that it is of."""
    bag = rig.with_name(rig.name.removesuffix('.rig.yaml') + '.mcap')
    return not bag.exists() and not _part(bag).exists()


def _doubted(path: Path) -> bool:
    return path.stem.split('_')[2] == DOUBTED


def _drop(incidents: Iterable[Path]) -> None:
    """Remove each with the rig beside it."""
    for path in incidents:
        path.unlink(missing_ok=True)
        path.with_suffix('.rig.yaml').unlink(missing_ok=True)


def _age(path: Path) -> tuple[str, int]:
    """Incidents sort by the second in their name, those of one second by their number."""
    parts = path.stem.split('_')
    return parts[1], int(parts[3]) if len(parts) > 3 else 1


def _sync(folder: Path) -> None:
    """The name is on the disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
