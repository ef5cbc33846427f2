"""The record of an adopted checkpoint: where it lies, what it hashed to, how it is to be run.

``alpamayo model adopt`` writes it into the user's data folder, never into the vendor's; a runtime
starts from it alone, and hashes every file again before the vendor's code sees one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.file_gate import MAX_FILE
from alpamayo_ros.runtime.manifest import Sha256, profile_hash
from alpamayo_ros.runtime.nvidia.checkpoint import hashed, resolved

MAX_RECORD = 1 << 20
CHILD = 'alpamayo_ros.runtime.nvidia.child'
ENGINES = {  # what loads the weights: into the vendor's class, or into this package's networks
    'vendor': f'{CHILD}.load:load',
    'own': f'{CHILD}.own:load',
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra='forbid', frozen=True)


class AdoptedFile(_Strict):
    """One file: the path that is opened, and where that led when it was adopted."""

    path: str
    leads_to: str
    bytes: Annotated[int, Field(ge=0, le=MAX_FILE)]
    sha256: Sha256


class Choices(_Strict):
    """How a checkpoint is run; ``runtime.nvidia.child.settings.Settings`` says what each means."""

    interpreter: str
    vlm: str
    source: tuple[str, ...] = ()
    device: str = 'cuda'
    dtype: Literal['bfloat16', 'float32'] = 'bfloat16'
    attention: Literal['sdpa', 'flash_attention_2', 'eager'] = 'sdpa'
    words: Literal['greedy', 'sampled', 'each'] = 'greedy'
    speed: Literal['odometry', 'history'] = 'odometry'
    guidance: Annotated[float, Field(ge=0.0, le=10.0)] = 1.0
    engine: str = ENGINES['vendor']


class Adoption(_Strict):
    """A checkpoint, the profile it was compared with, and its files with their hashes."""

    schema_version: Literal[1] = 1
    profile: str
    profile_sha256: Sha256
    folder: str
    choices: Choices
    files: tuple[AdoptedFile, ...]

    def to_json(self) -> str:
        """The text of the record."""
        return self.model_dump_json(indent=1) + '\n'

    @property
    def sha256(self) -> str:
        """Hash of the record: other files or other choices are another model."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


def record_path(profile: str) -> Path:
    """Where the record of a profile lies: ``$XDG_DATA_HOME/alpamayo_ros/adopted``."""
    data = os.environ.get('XDG_DATA_HOME') or str(Path.home() / '.local' / 'share')
    return Path(data) / 'alpamayo_ros' / 'adopted' / f'{profile}.json'


def adopt(
    profile: ModelProfile, folder: Path, choices: Choices, files: Mapping[str, Path]
) -> Adoption | Fault:
    """Hash every file of the checkpoint and of the language model's folder."""
    entries = []
    for path, place in files.items():
        found = hashed(place)
        if isinstance(found, Fault):
            return found
        size, digest = found
        entry = AdoptedFile(path=path, leads_to=str(place), bytes=size, sha256=digest)
        entries.append(entry)
    return Adoption(
        profile=profile.name,
        profile_sha256=profile_hash(profile),
        folder=str(folder),
        choices=choices,
        files=tuple(entries),
    )


def read_adoption(path: Path | None, profile: ModelProfile) -> Adoption | Fault:
    """The record at ``path`` (default: that of the profile); nothing of the model is read yet."""
    place = path if path is not None else record_path(profile.name)
    command = f'alpamayo model adopt FOLDER --profile {profile.name} --interpreter PYTHON'
    try:
        with place.open('rb') as file:
            text = file.read(MAX_RECORD)
    except OSError as error:
        why = f'no adopted checkpoint {place}: {error.strerror}; type: {command}'
        return Fault(Code.MODEL_MISSING, why)
    try:
        record = Adoption.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = '.'.join(map(str, first['loc']))
        return Fault(Code.MODEL_FORMAT, f'{place}: {where} {first["msg"]}; type: {command}')
    if record.profile_sha256 != profile_hash(profile):
        names = f'{record.profile!r}, asked for is {profile.name!r} as it reads now'
        return Fault(Code.MODEL_FORMAT, f'{place} was adopted for {names}; type: {command}')
    return record


def verify(record: Adoption) -> Fault | None:
    """Every file is where it was and holds what it held; each is read once, in blocks."""
    for entry in record.files:
        place = resolved(Path(entry.path))
        if isinstance(place, Fault):
            return place
        if str(place) != entry.leads_to:
            text = f'{entry.path} led to {entry.leads_to} when it was adopted, now to {place}'
            return Fault(Code.MODEL_UNSAFE, text)
        found = hashed(place)
        if isinstance(found, Fault):
            return found
        if found != (entry.bytes, entry.sha256):
            text = f'{entry.path}: expected {entry.sha256}, came {found[1]}'
            numbers = {'expected_bytes': float(entry.bytes), 'bytes': float(found[0])}
            return Fault(Code.MODEL_HASH, text, numbers)
    return None
