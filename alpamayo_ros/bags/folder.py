"""A recording on disk: one file, or a folder of rosbag2 with ``metadata.yaml``; and its seal.

A seal is a file of SHA-256 sums as ``sha256sum`` writes and checks it: ``SHA256SUMS`` in a folder,
``drive.db3.sha256`` beside a single file.  It shows damage that the format cannot show.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

import yaml

from alpamayo_ros.bags.mcap import McapFile
from alpamayo_ros.bags.pack import unpack_file
from alpamayo_ros.bags.parts import Damage, is_pointer, no_bag
from alpamayo_ros.bags.sqlite import SqliteFile
from alpamayo_ros.bags.whole_file import write_whole
from alpamayo_ros.yaml_file import read_yaml

SUMS = 'SHA256SUMS'
READERS: dict[str, type[McapFile] | type[SqliteFile]] = {'.mcap': McapFile, '.db3': SqliteFile}
Storage = McapFile | SqliteFile


@dataclass(slots=True)
class Recording:
    """The files of a recording in order, and what its metadata says of them.

    ``counts``: messages by topic, None where nothing says so.  ``packed``: each message is zstd
    (compression_mode message).  ``wrong``: damage of the folder, to be told at the end.
    """

    path: Path
    files: list[Path]
    counts: dict[str, int] | None = None
    packed: bool = False
    wrong: Damage | None = None
    sealed: bool = False
    stack: ExitStack = field(default_factory=ExitStack)

    @property
    def bytes(self) -> int:
        """Size of all its files."""
        return sum(file.stat().st_size for file in self.files)


@contextmanager
def open_recording(path: Path) -> Iterator[Recording]:
    """Find the files; FileNotFoundError or Damage where there is nothing to read."""
    if not path.exists():
        raise FileNotFoundError(f'no bag {path}')
    found = _folder(path) if path.is_dir() else Recording(path, [path])
    with found.stack:
        names = [file.name for file in found.files] + ['metadata.yaml'] * path.is_dir()
        found.files = [_plain(file, found) for file in found.files]
        found.sealed = sums_path(path).exists()
        if found.sealed and found.wrong is None:
            found.wrong = check_seal(path, names)
        yield found


def open_file(path: Path) -> Storage:
    """The reader of one file by its ending; ``.part`` is what a crashed recorder left."""
    reader = READERS.get(PurePath(path.name.removesuffix('.part')).suffix)
    check_plain(path)
    if reader is None or is_pointer(path):
        raise Damage(no_bag(path))
    return reader(path)


def check_plain(path: Path) -> None:
    """Damage for a pipe, a device or a folder under the name of a file: reading could wait."""
    if path.exists() and not path.is_file():
        raise Damage('this is no regular file', file=path.name)


def _folder(path: Path) -> Recording:
    """A folder as rosbag2 writes it; without readable metadata.yaml its files by name."""
    there = [
        p
        for p in sorted(path.iterdir())
        if PurePath(p.name.removesuffix('.zstd')).suffix in READERS and p.exists()
    ]
    try:
        names, counts, packed = _about(_metadata(path / 'metadata.yaml'))
    except Damage as damage:
        if not there:
            raise
        return Recording(path, there, wrong=damage)
    files, wrong = [path / name for name in names], None
    if missing := [f.name for f in files if not f.exists()]:
        wrong = Damage(f'metadata.yaml names {missing}, which are not in {path.name}')
    elif extra := sorted({f.name for f in there} - set(names)):
        wrong = Damage(f'{extra} are in {path.name} but not in its metadata.yaml')
    return Recording(path, [f for f in files if f.exists()], counts, packed, wrong)


def _about(metadata: dict[str, Any]) -> tuple[list[str], dict[str, int], bool]:
    """Names of the files, messages by topic, and whether each message is packed."""
    try:
        names = [PurePath(n).name for n in metadata['relative_file_paths']]
        counts: dict[str, int] = {}
        for row in metadata['topics_with_message_count']:
            name = row['topic_metadata']['name']
            if not isinstance(name, str):
                raise TypeError('a topic has no name')
            counts[name] = counts.get(name, 0) + int(row['message_count'])
        total = int(metadata['message_count'])
        packed = str(metadata.get('compression_mode') or '').lower() == 'message'
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Damage(f'metadata.yaml is damaged: {type(error).__name__} {error}') from error
    if sum(counts.values()) != total:
        raise Damage('metadata.yaml contradicts itself about the number of messages')
    return names, counts, packed


def _metadata(path: Path) -> dict[str, Any]:
    check_plain(path)
    try:
        found = read_yaml(path)
    except FileNotFoundError:
        text = 'there is no metadata.yaml: the recording was not closed'
        raise Damage(f'{text}; ros2 bag reindex {path.parent.name} writes it') from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise Damage(f'metadata.yaml cannot be read: {" ".join(str(error).split())}') from error
    about = found.get('rosbag2_bagfile_information') if isinstance(found, dict) else None
    if not isinstance(about, dict):
        raise Damage('metadata.yaml is not that of a bag')
    return about


def _plain(file: Path, recording: Recording) -> Path:
    """The file itself; one packed as a whole (.zstd) is unpacked into a folder that goes away.

    Where it is damaged: what can be unpacked of it, and the damage is noted in ``recording``.
    """
    if file.suffix != '.zstd':
        return file
    temporary = tempfile.TemporaryDirectory(prefix='alpamayo-bag-')
    plain = Path(recording.stack.enter_context(temporary)) / file.stem
    try:
        check_plain(file)
        unpack_file(file, plain)
    except ValueError as error:
        place = plain.stat().st_size if plain.exists() else -1
        text = f'{error}; it ends after the unpacked byte'
        recording.wrong = recording.wrong or Damage(text, place, file=file.name)
    return plain


# ---- the seal -----------------------------------------------------------------------------------
def sums_path(path: Path) -> Path:
    """Where the seal of a recording lies."""
    return path / SUMS if path.is_dir() else path.with_name(path.name + '.sha256')


def seal(path: Path) -> Path:
    """Write the SHA-256 of each file; ``check_seal`` and ``sha256sum -c`` compare with it."""
    files = [path]
    if path.is_dir():
        files = [p for p in sorted(path.iterdir()) if p.is_file() and p.name != SUMS]
    lines = [f'{sha256(file)}  {file.name}\n' for file in files]
    return write_whole(sums_path(path), ''.join(lines))


def check_seal(path: Path, names: list[str]) -> Damage | None:
    """The first file that is not what was sealed, or one of ``names`` that the seal leaves out."""
    target, sealed = sums_path(path), set[str]()
    try:
        check_plain(target)
        lines = target.read_text().splitlines()
    except Damage as damage:
        return damage
    except (OSError, UnicodeDecodeError) as error:
        return Damage(f'the seal cannot be read: {error}', file=target.name)
    for line in lines:
        wanted, _, name = line.partition('  ')
        if len(wanted) != 64 or PurePath(name).name != name:
            return Damage('the seal is damaged', file=target.name)
        file = target.parent / name
        if not file.is_file():
            return Damage('a sealed file is missing', file=name)
        if sha256(file) != wanted:
            return Damage('the file is not the one that was sealed (SHA-256)', file=name)
        sealed.add(name)
    if left := [name for name in names if name not in sealed]:
        return Damage(
            f'the seal does not name {left[0]}, so it says nothing of it', file=target.name
        )
    return None


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    found = hashlib.sha256()
    with path.open('rb') as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()
