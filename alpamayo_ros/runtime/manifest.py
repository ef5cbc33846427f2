"""``manifest.json``: what a model folder holds, checked before any parser sees a byte.

Every file is opened once, without following links, read, hashed, and **the bytes that were
hashed** are what the parser gets: nothing can be swapped in between.  Alone a manifest protects
against damage and mix-ups; with ``trusted`` keys it has to be signed (``signature.py``), which
protects against somebody who can write to the folder, too (SECURITY.md).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.layer_shapes import InputTokens
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.file_gate import (
    MAX_FILE,
    MAX_MODEL,
    check_beside,
    check_bytes,
    check_name,
    data_file,
    read_file,
    stray,
    strict_json,
)
from alpamayo_ros.runtime.signature import SIGNATURE, check_signature

MANIFEST = 'manifest.json'
MAX_MANIFEST = 1 << 20

Sha256 = Annotated[str, Field(pattern='^[0-9a-f]{64}$')]


class _Strict(BaseModel):
    model_config = ConfigDict(extra='forbid', frozen=True)


class FileEntry(_Strict):
    """One file: plain name, exact size, SHA-256, dtype of its weights ('' where it has none)."""

    name: str
    bytes: Annotated[int, Field(ge=0, le=MAX_FILE)]
    sha256: Sha256
    dtype: str = ''


class Manifest(_Strict):
    """What a model folder holds.

    ``release`` only ever grows; ``training`` names data, seeds and figures.
    """

    schema_version: Literal[1] = 1
    profile: str
    profile_sha256: Sha256
    version: str
    release: Annotated[int, Field(ge=0)]
    training: dict[str, str | int | float] = {}
    files: tuple[FileEntry, ...]

    def to_json(self) -> str:
        """The text of ``manifest.json``."""
        return json.dumps(self.model_dump(), indent=1) + '\n'


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Verified bytes of a model folder, by file name.

    ``text``: those of ``manifest.json`` itself, which a signature is over; ``sha256``: of them.
    """

    folder: Path
    manifest: Manifest
    sha256: str
    text: bytes = field(repr=False)
    data: Mapping[str, bytes] = field(repr=False)

    def get(self, name: str) -> bytes | Fault:
        """The bytes of one file, or a fault that says what the folder holds."""
        if name in self.data:
            return self.data[name]
        known = ' '.join(e.name for e in self.manifest.files)
        return Fault(
            Code.MODEL_MISSING, f'{self.folder} has no {name}; its manifest lists {known}'
        )


LATER = {
    'text': ('grammar', 'names_pictures'),
    'diffusion': ('solver',),
    'vision': (
        *('trunk', 'ffn', 'pool', 'timesteps', 'spatial_bias'),
        *('window', 'global_layers'),
    ),
    'backbone': ('context',),
    'denoiser': ('kind', 'kv_heads', 'ffn', 'levels', 'sees_scene'),
    'inputs': tuple(InputTokens.model_fields),
}
LATER_VIEW = ('projection', 'resample')
LATER_PROFILE = ('architecture', 'history_gaps', 'deadlines')


def profile_hash(profile: ModelProfile) -> str:
    """SHA-256 of everything in a profile that a model depends on (not its description).

    The keys of ``LATER`` are no part of it while they hold their default: models that were
    exported before these keys existed keep their hash.
    """
    content = profile.model_dump(exclude={'description'})
    _without_defaults(content, profile, LATER_PROFILE)
    for view, record in zip(content['views'], profile.views, strict=True):
        _without_defaults(view, record, LATER_VIEW)
    for section, keys in LATER.items():
        _without_defaults(content[section], getattr(profile, section), keys)
        if not content[section]:
            del content[section]
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _without_defaults(content: dict[str, Any], record: BaseModel, keys: Iterable[str]) -> None:
    """Take out of ``content`` the keys that hold their default."""
    for key in keys:
        if getattr(record, key) == type(record).model_fields[key].default:
            del content[key]


def read_model(
    folder: Path, names: Iterable[str] | None = None, minimum_release: int = 0,
    trusted: Path | None = None,
) -> ModelFiles | Fault:  # fmt: skip
    """Read and verify a model folder.

    ``names`` limits what is read (default: every file it lists).  ``trusted``: one of these
    public keys (a file, or a folder of them) has to have signed the manifest.
    """
    try:
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        return Fault(Code.MODEL_MISSING, f'no model folder {folder}: {error.strerror}')
    try:
        return _read_model(folder, directory, names, minimum_release, trusted)
    finally:
        os.close(directory)


def _read_model(
    folder: Path, directory: int, names: Iterable[str] | None, minimum_release: int,
    trusted: Path | None,
) -> ModelFiles | Fault:  # fmt: skip
    text = read_file(folder, directory, MANIFEST, MAX_MANIFEST)
    if isinstance(text, Fault):
        return text
    unsigned = trusted and check_signature(folder, directory, text, trusted)
    if unsigned:
        return unsigned
    manifest = parse_manifest(text, folder)
    if isinstance(manifest, Fault):
        return manifest
    if manifest.release < minimum_release:
        numbers = {'release': float(manifest.release), 'minimum': float(minimum_release)}
        return Fault(Code.MODEL_ROLLBACK, f'{folder} is release {manifest.release}', numbers)
    found = stray(folder, directory)
    if found is not None:
        return found
    wanted = None if names is None else {n for name in names for n in (name, data_file(name))}
    data: dict[str, bytes] = {}
    for entry in manifest.files:
        if wanted is None or entry.name in wanted:
            content = _read_entry(folder, directory, entry)
            if isinstance(content, Fault):
                return content
            data[entry.name] = content
    for name in [name for name in data if name.endswith('.onnx')]:
        fault = check_beside(name, data[name], data.get(data_file(name)))
        if fault is not None:
            return fault
    return ModelFiles(folder, manifest, hashlib.sha256(text).hexdigest(), text, data)


def parse_manifest(text: bytes, folder: Path) -> Manifest | Fault:
    """The manifest of ``folder``; unknown keys, double or unsafe file names are refused."""
    try:
        manifest = Manifest.model_validate_json(text)
        strict_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = '.'.join(map(str, first['loc']))
        return Fault(Code.MODEL_FORMAT, f'{folder / MANIFEST}: {where} {first["msg"]}')
    except ValueError as error:
        return Fault(Code.MODEL_FORMAT, f'{folder / MANIFEST}: {error}')
    names = [entry.name for entry in manifest.files]
    if len(set(names)) != len(names) or MANIFEST in names:
        return Fault(Code.MODEL_FORMAT, f'{folder / MANIFEST} lists a name twice or lists itself')
    if (total := sum(entry.bytes for entry in manifest.files)) > MAX_MODEL:
        said = f'{folder / MANIFEST} lists {total} bytes; a model has at most {MAX_MODEL}'
        return Fault(Code.MODEL_FORMAT, said)
    refused = [fault for name in names if (fault := check_name(name)) is not None]
    return refused[0] if refused else manifest


def _read_entry(folder: Path, directory: int, entry: FileEntry) -> bytes | Fault:
    data = read_file(folder, directory, entry.name, entry.bytes)
    if isinstance(data, Fault):
        if data.code is not Code.MODEL_MISSING:
            return data
        return Fault(Code.MODEL_HASH, f'{data.message}, which its manifest lists')
    actual = hashlib.sha256(data).hexdigest()
    if len(data) != entry.bytes or actual != entry.sha256:
        message = f'{folder / entry.name}: expected {entry.sha256}, came {actual}'
        numbers = {'expected_bytes': float(entry.bytes), 'bytes': float(len(data))}
        return Fault(Code.MODEL_HASH, message, numbers)
    return check_bytes(entry.name, data) or data


def write_manifest(
    folder: Path, profile: ModelProfile, version: str, release: int, training: Mapping[str, Any],
    dtypes: Mapping[str, str],
) -> Manifest:  # fmt: skip
    """Hash the files named in ``dtypes`` (name to dtype); write ``manifest.json`` atomically."""
    entries = []
    for name in sorted(dtypes):
        data = (folder / name).read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        entries.append(FileEntry(name=name, bytes=len(data), sha256=digest, dtype=dtypes[name]))
    manifest = Manifest(
        profile=profile.name,
        profile_sha256=profile_hash(profile),
        version=version,
        release=release,
        training=dict(training),
        files=tuple(entries),
    )
    temporary = folder / f'{MANIFEST}.new'
    temporary.write_text(manifest.to_json())
    temporary.replace(folder / MANIFEST)
    (folder / SIGNATURE).unlink(missing_ok=True)  # it signed another manifest
    return manifest


def check_profile(files: ModelFiles, profile: ModelProfile) -> Fault | None:
    """Refuse a model that was exported for another profile, or another version of it."""
    wanted, found = profile_hash(profile), files.manifest.profile_sha256
    if found == wanted:
        return None
    own = files.folder / 'profile.yaml'
    advice = f'name --profile {own}' if own.is_file() else ''
    if files.manifest.profile == profile.name:
        told = f'{files.folder} was exported for another profile named {profile.name!r}, of other'
        hashes = f'contents ({found[:12]}) than the one asked for ({wanted[:12]})'
        text = f'{told} {hashes}: {advice or "give a changed profile a name of its own"}'
        return Fault(Code.MODEL_FORMAT, text)
    names = f'{files.manifest.profile!r} ({found}), asked for is {profile.name!r} ({wanted})'
    text = f'{files.folder} was exported for profile {names}{advice and ": "}{advice}'
    return Fault(Code.MODEL_FORMAT, text)
