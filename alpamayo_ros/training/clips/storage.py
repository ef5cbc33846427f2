"""A clip on disk: a folder whose ``clip.json`` comes last and holds the SHA-256 of its files.

``drive.mcap`` and ``drive.rig.yaml`` are a recording as any other; the annotation lies beside
them.  A new annotation is written under a new number before ``clip.json`` names it, so that a
clip is whole at every instant (docs/clips.md has the fields).
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError

from alpamayo_ros.bags.folder import sha256
from alpamayo_ros.bags.whole_file import write_whole
from alpamayo_ros.datasets.rig_file import rig_path
from alpamayo_ros.statuses import ConfigError, Status
from alpamayo_ros.training.clips.clip import Note, Strict

FORMAT = 1
META, BAG = 'clip.json', 'drive.mcap'
RIG = rig_path(Path(BAG)).name
UNFINISHED = (BAG, RIG, 'annotation.*.json')  # what a clip without clip.json may hold
Verdict = Literal['', 'keep', 'escalate', 'drop']
Read = TypeVar('Read')


class DamagedClipError(ConfigError):
    """A clip that is not what was written; the text names file and reason."""

    status = Status.DAMAGED


class Meta(Strict):
    """``clip.json``.

    ``origin``: simulator, or recorded; ``made_of``: what would make it again.  ``files``: size
    and SHA-256 by name; ``revision``: of the annotation, counted from 1.
    """

    format: int
    name: str
    origin: str
    made_of: str
    begin_ns: int
    end_ns: int
    instants: int = Field(ge=1)
    cameras: tuple[str, ...]
    grammar: str = ''
    licence: str = ''
    revision: int = Field(default=1, ge=1)
    files: dict[str, tuple[int, str]] = {}

    @property
    def annotation(self) -> str:
        """Name of the file with the notes."""
        return f'annotation.{self.revision}.json'

    @property
    def seconds(self) -> float:
        """From the first to the last instant."""
        return (self.end_ns - self.begin_ns) / 1e9


class Annotation(Strict):
    """The notes, and what was found of them: ``verdict`` '' where nobody has judged yet.

    ``reasons`` and ``figures`` are the filter's; ``by``: who judged, the filter or a person.
    """

    format: int = FORMAT
    verdict: Verdict = ''
    by: Literal['', 'filter', 'review'] = ''
    reasons: tuple[str, ...] = ()
    figures: dict[str, float | None] = {}
    notes: tuple[Note, ...] = ()


def checked_name(name: str) -> str:
    """A name that is one part of a path; ConfigError for any other, which would leave a folder."""
    if name in ('', '.', '..') or Path(name).name != name:
        raise ConfigError(
            f'{name!r} cannot name a clip: expected a name without "/", none of ".."'
        )
    return name


def finished(folder: Path, made_of: str) -> Meta | None:
    """The clip that is there already; ConfigError where it was made of something else."""
    if not (folder / META).is_file():
        return None
    there = read_meta(folder)
    if there.made_of != made_of:
        text = f'{folder} is of another call ({there.made_of}), expected {made_of}'
        raise ConfigError(f'{text}; choose another --out')
    return there


def begin(folder: Path) -> None:
    """An empty folder for a clip, in place of an unfinished one.

    ConfigError, and nothing deleted, where anything lies there that no clip has.
    """
    there = sorted(folder.iterdir()) if folder.is_dir() else []
    patterns = (*UNFINISHED, *(f'{name}.part' for name in (*UNFINISHED, META)))
    for file in there:
        if file.is_dir() or not any(file.match(pattern) for pattern in patterns):
            text = f'{folder} holds {file.name}, so it is no unfinished clip'
            raise ConfigError(f'{text}; choose another --out, or move it away')
    for file in there:
        file.unlink()
    folder.mkdir(parents=True, exist_ok=True)


def finish(folder: Path, meta: Meta, annotation: Annotation) -> Meta:
    """Write the annotation and then ``clip.json``: from then on the clip is complete."""
    return _seal(folder, meta, annotation, {name: _seen(folder / name) for name in (BAG, RIG)})


def amend(folder: Path, annotation: Annotation, read: Meta) -> Meta:
    """Give a clip another annotation, and take the old one away; nothing else is sealed anew.

    ``read``: what ``clip.json`` said when the annotation was read that this one is made of;
    ConfigError, and nothing written, where another command has written one since.
    """
    with _held(folder):
        meta = read_meta(folder)
        if meta != read:
            text = f'{folder}: another command wrote annotation {meta.revision} meanwhile'
            raise ConfigError(f'{text}, expected {read.revision}; give the same command again')
        files = {name: entry for name, entry in meta.files.items() if name != meta.annotation}
        after = meta.model_copy(update={'revision': meta.revision + 1})
        new = _seal(folder, after, annotation, files)
        (folder / meta.annotation).unlink(missing_ok=True)
    return new


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """One at a time amends a clip; a file system that knows no locks is written to unheld."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _seal(
    folder: Path, meta: Meta, annotation: Annotation, files: dict[str, tuple[int, str]]
) -> Meta:
    head = annotation.model_dump(exclude={'notes'})
    rows = ',\n'.join(n.model_dump_json(exclude_defaults=True) for n in annotation.notes)
    text = json.dumps(head)[:-1] + ', "notes": [\n' + rows + '\n]}\n'
    notes = write_whole(folder / meta.annotation, text)
    whole = meta.model_copy(update={'files': {**files, meta.annotation: _seen(notes)}})
    write_whole(folder / META, whole.model_dump_json(indent=1) + '\n')
    return whole


def _seen(file: Path) -> tuple[int, str]:
    """Size and SHA-256."""
    return file.stat().st_size, sha256(file)


def read_meta(folder: Path) -> Meta:
    """What ``clip.json`` says; DamagedClipError where it is none."""
    try:
        meta = Meta.model_validate_json((folder / META).read_bytes())
    except (OSError, ValidationError) as error:
        raise DamagedClipError(f'{folder}: {META} cannot be read: {_first(error)}') from error
    if meta.format != FORMAT:
        raise DamagedClipError(f'{folder}: format {meta.format}, expected {FORMAT}')
    return meta


def read_annotation(folder: Path) -> Annotation:
    """The notes of a clip; DamagedClipError where they are not those that were written."""
    return read_both(folder)[1]


def read_both(folder: Path) -> tuple[Meta, Annotation]:
    """A clip's record and the notes that it names, as :func:`read_annotation`."""
    return _as_named(folder, lambda meta: (meta, _annotation(folder, meta, [meta.annotation])))


def damage(folder: Path) -> str:
    """What is wrong with a clip, in a sentence; '' where it is whole."""
    try:
        _as_named(folder, lambda meta: _annotation(folder, meta, [BAG, RIG, *meta.files]))
    except DamagedClipError as error:
        return str(error)
    return ''


def _as_named(folder: Path, use: Callable[[Meta], Read]) -> Read:
    """``use`` of what ``clip.json`` says; once more where it was amended meanwhile."""
    while True:
        meta = read_meta(folder)
        try:
            return use(meta)
        except (DamagedClipError, FileNotFoundError):
            if read_meta(folder) == meta:
                raise


def _annotation(folder: Path, meta: Meta, whole: Iterable[str]) -> Annotation:
    """The notes, once the files ``whole`` are what was written."""
    if wrong := next(filter(None, (_wrong(folder, name, meta) for name in whole)), ''):
        raise DamagedClipError(wrong)
    try:
        return Annotation.model_validate_json((folder / meta.annotation).read_bytes())
    except ValidationError as error:
        raise DamagedClipError(f'{folder / meta.annotation}: {_first(error)}') from error


def _wrong(folder: Path, name: str, meta: Meta) -> str:
    """Whether a file is not the one that ``clip.json`` names."""
    file, (size, digest) = folder / name, meta.files.get(name, (0, ''))
    if Path(name).name != name or not digest:
        return f'{folder}: {META} names no {name}: make this clip again'
    if not file.is_file():
        return f'{file} is missing: delete the folder, make it again'
    found = file.stat().st_size
    if found != size:
        return f'{file} has {found} bytes, expected {size}: delete the folder, make it again'
    same = sha256(file) == digest
    return '' if same else f'{file} is not what was written: delete the folder, make it again'


def _first(error: OSError | ValidationError) -> str:
    """An error in one line."""
    if isinstance(error, OSError):
        return str(error.strerror)
    one = error.errors()[0]
    return f'{".".join(map(str, one["loc"])) or "the file"}: {one["msg"]}'


def find(roots: Iterable[Path]) -> Iterator[Path]:
    """Finished clips in or below the folders, sorted, those in writing left out."""
    for root in roots:
        yield from sorted(meta.parent for meta in root.rglob(META))
