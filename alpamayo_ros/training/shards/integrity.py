"""Whether a shard is whole: its meta.json comes last and names size and SHA-256 of its files."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

META, FORMAT = 'meta.json', 1
FILES = ('frames.npy', 'samples.npz')


def seal(folder: Path, meta: dict[str, Any]) -> None:
    """Write meta.json atomically: from then on the shard is complete."""
    files = {name: [(folder / name).stat().st_size, sha256(folder / name)] for name in FILES}
    temporary = folder / 'meta.partial'
    temporary.write_text(json.dumps({'format': FORMAT, 'files': files, **meta}, indent=1))
    os.replace(temporary, folder / META)


def damage(folder: Path) -> str:
    """What is wrong with a shard, in a sentence; '' where it is whole."""
    try:
        meta = json.loads((folder / META).read_text())
    except (OSError, ValueError) as error:
        return f'{folder}: {META} cannot be read ({error}): collect this shard again'
    if meta.get('format') != FORMAT:
        return f'{folder}: format {meta.get("format")!r}, expected {FORMAT}: collect it again'
    for name, (size, digest) in meta['files'].items():
        file = folder / name
        if not file.is_file():
            return f'{file} is missing: delete the shard, collect it again'
        found = file.stat().st_size
        if found != size:
            return f'{file} has {found} bytes, expected {size}: delete the shard, collect it again'
        if sha256(file) != digest:
            return f'{file} is not what was written: delete the shard, collect it again'
    return ''


def sha256(file: Path) -> str:
    """Of a file's content."""
    with file.open('rb') as data:
        return hashlib.file_digest(data, 'sha256').hexdigest()
