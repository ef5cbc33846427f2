"""What a person changed on the review page: verdicts and words, read from a file and applied.

Everything is checked before the first clip is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator

from alpamayo_ros.config_file import read_model, unknown
from alpamayo_ros.model.grammar import GrammarSpec, choices
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.clips import storage
from alpamayo_ros.training.clips.clip import Text
from alpamayo_ros.training.clips.quality import Bar, filter_clip
from alpamayo_ros.training.grammar_file import load_spec
from alpamayo_ros.units import counted

FORMAT: Literal[1] = 1
Corrected = tuple[storage.Meta, storage.Annotation, storage.Annotation]


class Correction(BaseModel):
    """Of one clip: its verdict ('' gives it back to the filter), and words by their t0 in ns."""

    model_config = ConfigDict(extra='forbid', frozen=True)
    verdict: storage.Verdict | None = None
    words: dict[str, Text] = {}

    @field_validator('words', mode='before')
    @classmethod
    def _stamps(cls, words: object) -> object:
        """YAML reads a stamp without quotes as a number."""
        return {str(k): v for k, v in words.items()} if isinstance(words, dict) else words

    @field_validator('words')
    @classmethod
    def _lines(cls, words: dict[str, str]) -> dict[str, str]:
        """Blanks around a line and blank lines, as typing leaves them, are no words."""
        rows = {k: [row.strip() for row in text.splitlines()] for k, text in words.items()}
        return {k: '\n'.join(filter(None, found)) for k, found in rows.items()}


class Corrections(BaseModel):
    """The file that the page's button saves; YAML with the same keys is read too."""

    model_config = ConfigDict(extra='forbid', frozen=True)
    format: Literal[1] = FORMAT
    clips: dict[str, Correction]


def apply(file: Path, folders: Sequence[Path], bars: dict[str, Bar]) -> list[str]:
    """Change the clips that the file names and measure them again; a sentence for each.

    ConfigError, before anything is written, where a clip or an instant is not there or words are
    none of the clip's grammar.
    """
    asked = read_model(file, Corrections).clips
    there = _by_name(folders)
    changed = {}
    for name, correction in asked.items():
        if name not in there:
            raise ConfigError(f'{file}: {unknown("clip", name, there)}')
        changed[there[name]] = _corrected(file, there[name], correction)
    said = []
    for folder, (meta, before, after) in changed.items():
        if after != before:
            storage.amend(folder, after, meta)
        count = sum(a.words != b.words for a, b in zip(after.notes, before.notes, strict=True))
        judged, changes = filter_clip(folder, bars), counted(count, 'word') + ' changed'
        said.append(f'{folder.name}: {judged.verdict} (by the {judged.by}), {changes}')
    return said


def _by_name(folders: Sequence[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in folders:
        if folder.name in found:
            both = f'{found[folder.name]} and {folder}'
            raise ConfigError(f'{both} have one name; correct them one folder at a time')
        if wrong := storage.damage(folder):
            raise storage.DamagedClipError(wrong)
        found[folder.name] = folder
    return found


def _corrected(file: Path, folder: Path, correction: Correction) -> Corrected:
    """The clip's record and annotation, and the annotation with the corrections in it."""
    meta, before = storage.read_both(folder)
    spec = load_spec(meta.grammar) if meta.grammar else None
    stamps = {str(note.t0_ns) for note in before.notes}
    for stamp, text in correction.words.items():
        if stamp not in stamps:
            raise ConfigError(f'{file}: {folder.name} has no note at {stamp} ns')
        if spec is not None and text and choices(spec, text) is None:
            what = f'{file}: {folder.name} at {stamp} ns: these words are none of {meta.grammar}'
            raise ConfigError(
                f'{what}: {_strange(spec, text)} (config/grammars/{meta.grammar}.yaml)'
            )
    notes = tuple(
        note.model_copy(update={'words': correction.words.get(str(note.t0_ns), note.words)})
        for note in before.notes
    )
    update: dict[str, object] = {'notes': notes}
    if correction.verdict is not None:
        update |= {'verdict': correction.verdict, 'by': 'review' if correction.verdict else ''}
    return meta, before, before.model_copy(update=update)


def _strange(spec: GrammarSpec, text: str) -> str:
    """What of a text its grammar could not have written, and what it has instead."""
    lines, names = text.split('\n'), [part.name for part in spec.parts]
    if len(lines) != len(names):
        return f'{len(lines)} lines, expected {len(names)}: {", ".join(names)}'
    found = (
        f'{line[:200]!r}; expected {part.name}: and its phrases'
        for part, line in zip(spec.parts, lines, strict=True)
        if choices(spec.model_copy(update={'parts': (part,)}), line) is None
    )
    return next(found)
