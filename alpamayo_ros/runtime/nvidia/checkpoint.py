"""Files of a checkpoint: links resolved once, hashed in blocks, tensors known from headers alone.

A checkpoint of 22 GB never lies in memory here: a file is read a block at a time, and of a
safetensors file only its header is parsed.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.model.released.tensors import tensors
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.file_gate import MAX_FILE, MAX_HEADER, strict_json

BLOCK = 1 << 20
READ = ('.json', '.safetensors', '.txt', '.jinja', '.model')  # what the vendor's loader opens
INDEX = 'model.safetensors.index.json'
MAX_INDEX = 1 << 22
DTYPES = ('BF16', 'F16', 'F32')
SHOWN = 3  # names in a message
Shapes = dict[str, tuple[int, ...]]


def files_of(folder: Path) -> dict[str, Path] | Fault:
    """Plain files that a loader reads, by name; a link of a Hugging Face cache is followed once.

    A link to a link, a folder or a device is refused.
    """
    if not folder.is_dir():
        return Fault(Code.MODEL_MISSING, f'no folder {folder}; expected that of a checkpoint')
    found: dict[str, Path] = {}
    for entry in sorted(folder.iterdir()):
        if entry.suffix in READ:
            place = resolved(entry)
            if isinstance(place, Fault):
                return place
            found[entry.name] = place
    return found


def resolved(entry: Path) -> Path | Fault:
    """``entry``, or what it links to: a plain file, and no further link."""
    place = entry
    if entry.is_symlink():
        place = Path(os.path.normpath(entry.parent / os.readlink(entry)))
    try:
        mode = os.lstat(place).st_mode
    except OSError as error:
        text = f'{entry}: {place}: {error.strerror}; fetch the checkpoint again'
        return Fault(Code.MODEL_MISSING, text)
    if not stat.S_ISREG(mode):
        return Fault(Code.MODEL_UNSAFE, f'{entry} leads to {place}, which is no plain file')
    return place


def hashed(path: Path) -> tuple[int, str] | Fault:
    """Size and SHA-256 of a plain file, a block at a time; no link is followed."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    digest, size = hashlib.sha256(), 0
    try:
        with os.fdopen(os.open(path, flags), 'rb', buffering=0) as file:
            while block := file.read(BLOCK):
                digest.update(block)
                size += len(block)
    except OSError as error:
        return Fault(Code.MODEL_UNSAFE, f'{path} cannot be read: {error.strerror}')
    return size, digest.hexdigest()


def header(path: Path) -> Shapes | Fault:
    """Shape by name of one safetensors file; its data must end where the file does."""
    with path.open('rb') as file:
        length = int.from_bytes(file.read(8), 'little')
        text = file.read(min(length, MAX_HEADER))
        total = os.fstat(file.fileno()).st_size
    if not len(text) == length or not total <= MAX_FILE:
        limits = f'headers have at most {MAX_HEADER} bytes, files {MAX_FILE}'
        return Fault(Code.MODEL_FORMAT, f'{path}: its header claims {length} bytes; {limits}')
    try:
        found = strict_json(text)
        entries = {name: value for name, value in found.items() if name != '__metadata__'}
        shapes = {name: tuple(map(int, value['shape'])) for name, value in entries.items()}
        end = max((int(value['data_offsets'][1]) for value in entries.values()), default=0)
        dtypes = {str(value['dtype']) for value in entries.values()}
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        return Fault(Code.MODEL_FORMAT, f'{path}: its header is none of safetensors: {error!r}')
    if end + 8 + length != total:
        text_ = f'{path}: its tensors end at byte {end + 8 + length}, the file at {total}'
        return Fault(Code.MODEL_FORMAT, f'{text_}; fetch it again')
    if not dtypes <= set(DTYPES):
        return Fault(Code.MODEL_FORMAT, f'{path} holds {sorted(dtypes)}, not {", ".join(DTYPES)}')
    return shapes


def shapes_of(files: Mapping[str, Path]) -> Shapes | Fault:
    """Shape by name over all shards; the index, where there is one, must say the same."""
    found: Shapes = {}
    homes: dict[str, str] = {}
    for name, path in files.items():
        if not name.endswith('.safetensors'):
            continue
        shapes = header(path)
        if isinstance(shapes, Fault):
            return shapes
        twice = sorted(set(shapes) & set(found))
        if twice:
            text = f'{name} and {homes[twice[0]]} both hold {twice[0]}'
            return Fault(Code.MODEL_FORMAT, text)
        found |= shapes
        homes |= dict.fromkeys(shapes, name)
    if not found:
        held = ', '.join(files) or 'no files'
        return Fault(Code.MODEL_MISSING, f'no .safetensors file; there are {held}')
    return _indexed(files, homes) or found


def _indexed(files: Mapping[str, Path], homes: Mapping[str, str]) -> Fault | None:
    """MODEL_FORMAT where ``model.safetensors.index.json`` and the headers disagree."""
    if INDEX not in files:
        return None
    try:
        with files[INDEX].open('rb') as file:
            listed: Any = json.loads(file.read(MAX_INDEX))['weight_map']
        wrong = sorted(set(listed.items()) ^ set(homes.items()))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return Fault(Code.MODEL_FORMAT, f'{INDEX} is no index of shards: {error!r}')
    if wrong:
        return Fault(Code.MODEL_FORMAT, f'{INDEX} and the shards disagree on {wrong[0][0]}')
    return None


def compare(found: Mapping[str, tuple[int, ...]], profile: ModelProfile) -> Fault | None:
    """MODEL_FORMAT naming tensors that are missing, unknown or of another shape."""
    wanted = tensors(profile)
    said = []
    for what, names in (
        ('missing', sorted(set(wanted) - set(found))),
        ('unknown', sorted(set(found) - set(wanted))),
        ('of another shape', sorted(n for n, s in wanted.items() if found.get(n, s) != s)),
    ):
        if names:
            shown = ', '.join(_shown(n, found, wanted) for n in names[:SHOWN])
            said.append(f'{len(names)} {what}: {shown}')
    if not said:
        return None
    return Fault(Code.MODEL_FORMAT, f'{profile.name} has {len(wanted)} tensors; {"; ".join(said)}')


def _shown(name: str, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    if name in found and name in wanted:
        return f'{name} {found[name]}, expected {wanted[name]}'
    return name
