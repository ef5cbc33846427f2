"""Whether a shard is whole: its meta.json comes last and names size and SHA-256 of its files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alpamayo_ros.statuses import ConfigError, Status

META, FORMAT = 'meta.json', 1
FILES = ('frames.npy', 'samples.npz')
PARTIAL = 'meta.partial'


class DamagedShardError(ConfigError):
    """A shard that is not what was written; the text names file and reason."""

    status = Status.DAMAGED


def seal(folder: Path, meta: dict[str, Any]) -> None:
    """Write meta.json atomically: from then on the shard is complete."""
    files = {name: [(folder / name).stat().st_size, sha256(folder / name)] for name in FILES}
    temporary = folder / PARTIAL
    temporary.write_text(json.dumps({'format': FORMAT, 'files': files, **meta}, indent=1))
    os.replace(temporary, folder / META)


def discard_unsealed(folder: Path) -> None:
    """Remove the files of a shard that has no meta.json."""
    if not (folder / META).exists():
        for name in (*FILES, PARTIAL):
            (folder / name).unlink(missing_ok=True)


def strangers(folder: Path) -> list[str]:
    """Names of what lies in a folder and is no part of a shard, in writing or finished."""
    own = {*FILES, META, PARTIAL}
    return sorted(p.name for p in folder.iterdir() if p.name not in own) if folder.is_dir() else []


def check_whole(folders: Iterable[Path]) -> None:
    """DamagedShardError for the first finished shard that is not what was written."""
    for folder in folders:
        if (folder / META).is_file() and (wrong := damage(folder)):
            raise DamagedShardError(wrong)


def damage(folder: Path) -> str:
    """What is wrong with a shard, in a sentence; '' where it is whole."""
    try:
        meta = json.loads((folder / META).read_text())
    except (OSError, ValueError, RecursionError) as error:
        return f'{folder}: {META} cannot be read ({error}): collect this shard again'
    if not isinstance(meta, dict) or meta.get('format') != FORMAT:
        found = meta.get('format') if isinstance(meta, dict) else meta
        return f'{folder}: format {found!r}, expected {FORMAT}: collect it again'
    files = meta.get('files')
    if not isinstance(files, dict) or not all(_is_entry(files.get(name)) for name in FILES):
        return f'{folder}: {META} has no size and hash of {" and ".join(FILES)}: collect it again'
    for name in FILES:
        file, (size, digest) = folder / name, files[name]
        if not file.is_file():
            return f'{file} is missing: delete the shard, collect it again'
        found = file.stat().st_size
        if found != size:
            return f'{file} has {found} bytes, expected {size}: delete the shard, collect it again'
        if sha256(file) != digest:
            return f'{file} is not what was written: delete the shard, collect it again'
    return ''


def _is_entry(entry: Any) -> bool:
    """Whether it is a size with a hash."""
    return isinstance(entry, list) and list(map(type, entry)) == [int, str]


def sha256(file: Path) -> str:
    """Of a file's content."""
    with file.open('rb') as data:
        return hashlib.file_digest(data, 'sha256').hexdigest()
