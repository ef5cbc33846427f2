"""A folder of engines and its ``engines.json``: what they were built from, for which machine.

An engine runs whatever it holds.  So nothing is deserialised before the folder belongs to this
user alone, the file has its hash, and it was built from the very graph of the model, by this
version of the library, for this GPU.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.runtime.file_gate import data_file, read_file, strict_json
from alpamayo_ros.runtime.manifest import ModelFiles, Sha256

ENGINES = 'engines.json'
MAX_MANIFEST = 1 << 20
MAX_ENGINE = 1 << 36
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class _Strict(BaseModel):
    model_config = ConfigDict(extra='forbid', frozen=True)


class EngineEntry(_Strict):
    """One engine: the graph it was built from, and the shapes it takes.

    ``data_sha256``: of the file beside a graph beyond 2 GiB.
    ``inputs``: name to its least, usual and greatest shape; three times the same where it is
    static.
    """

    graph: str
    graph_sha256: Sha256
    data_sha256: Sha256 | Literal[''] = ''
    file: Annotated[str, Field(pattern=r'^[a-z_]{1,32}\.engine$')]
    bytes: Annotated[int, Field(ge=1, le=MAX_ENGINE)]
    sha256: Sha256
    inputs: dict[str, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]


class EngineManifest(_Strict):
    """What ``engines.json`` holds; ``target``: compute capability such as ``8.9``."""

    schema_version: Literal[1] = 1
    profile: str
    profile_sha256: Sha256
    library: Literal['tensorrt', 'tensorrt_rtx']
    version: str
    target: Annotated[str, Field(pattern=r'^[0-9]{1,2}\.[0-9]$')]
    engines: Annotated[tuple[EngineEntry, ...], Field(max_length=16)]


@dataclass(frozen=True, slots=True)
class EngineFiles:
    """Verified bytes of a folder of engines, by the name of the graph."""

    folder: Path
    manifest: EngineManifest
    data: dict[str, bytes] = field(repr=False)


def engine_dir(profile: str) -> Path:
    """Where engines of a profile lie on this machine: they belong to it, not to the model."""
    cache = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    plain = re.sub(r'[^A-Za-z0-9_.-]|^\.', '_', profile)
    return Path(cache) / 'alpamayo_ros' / 'engines' / plain


def rebuild(profile: str) -> str:
    """What to type when engines do not fit."""
    return f'alpamayo engine build --profile {profile}.'


def read_engine_manifest(folder: Path, profile: str) -> EngineManifest | Fault:
    """The manifest of ``folder``; a folder that others may write to is refused."""
    try:
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        text = f'no engines in {folder} ({error.strerror}): {rebuild(profile)}'
        return Fault(Code.MODEL_MISSING, text)
    try:
        return _read_manifest(folder, directory, profile)
    finally:
        os.close(directory)


def read_engines(folder: Path, profile: str) -> EngineFiles | Fault:
    """Manifest and verified bytes of every engine; call :func:`misfit` first."""
    manifest = read_engine_manifest(folder, profile)
    if isinstance(manifest, Fault):
        return manifest
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        data: dict[str, bytes] = {}
        for entry in manifest.engines:
            content = read_file(folder, directory, entry.file, entry.bytes)
            if isinstance(content, Fault):
                return content
            if hashlib.sha256(content).hexdigest() != entry.sha256:
                text = f'{folder / entry.file} is not what was built: {rebuild(profile)}'
                return Fault(Code.MODEL_HASH, text)
            data[entry.graph] = content
    finally:
        os.close(directory)
    return EngineFiles(folder, manifest, data)


def misfit(
    manifest: EngineManifest, files: ModelFiles, library: str, version: str, gpu: str
) -> Fault | None:
    """Why these engines are not for this model, library or GPU (compute capability)."""
    say = rebuild(manifest.profile)
    if manifest.profile_sha256 != files.manifest.profile_sha256:
        text = f'engines are of another version of profile {manifest.profile!r}: {say}'
        return Fault(Code.MODEL_FORMAT, text)
    graphs = {entry.name: entry.sha256 for entry in files.manifest.files}
    for entry in manifest.engines:
        beside = graphs.get(data_file(entry.graph), '')
        if (graphs.get(entry.graph), beside) != (entry.graph_sha256, entry.data_sha256):
            text = f'{entry.file} is stale: {entry.graph} of {files.folder} has changed: {say}'
            return Fault(Code.MODEL_FORMAT, text)
    if (manifest.library, manifest.version) != (library, version):
        text = f'engines of {manifest.library} {manifest.version}, here is {library} {version}'
        return Fault(Code.MODEL_PROVIDER, f'{text}: {say}')
    if manifest.target != gpu:
        text = f'engines for compute capability {manifest.target}, this GPU has {gpu}'
        return Fault(Code.MODEL_PROVIDER, f'{text}: {say}')
    return None


def write_engines(folder: Path, manifest: EngineManifest) -> None:
    """Write ``engines.json`` last and at once, so that half a build has none."""
    temporary = folder / f'{ENGINES}.new'
    temporary.write_text(manifest.model_dump_json(indent=1) + '\n')
    temporary.replace(folder / ENGINES)


def _read_manifest(folder: Path, directory: int, profile: str) -> EngineManifest | Fault:
    status = os.fstat(directory)
    if status.st_uid != os.getuid() or status.st_mode & OTHERS_WRITE:
        text = f'{folder} can be written by others, and engines run code: chmod go-w {folder}.'
        return Fault(Code.MODEL_UNSAFE, text)
    data = read_file(folder, directory, ENGINES, MAX_MANIFEST)
    if isinstance(data, Fault):
        return Fault(data.code, f'{data.message}: {rebuild(profile)}')
    try:
        manifest = EngineManifest.model_validate_json(data)
        strict_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = '.'.join(map(str, first['loc']))
        return Fault(Code.MODEL_FORMAT, f'{folder / ENGINES}: {where} {first["msg"]}')
    except ValueError as error:
        return Fault(Code.MODEL_FORMAT, f'{folder / ENGINES}: {error}')
    return manifest
