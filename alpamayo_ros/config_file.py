"""Configuration files: what is wrong with one names file, line and key, and the nearest word.

Every YAML file that a person writes (rig, profile, scenario, limits, recipe) is read here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from alpamayo_ros.statuses import ConfigError, NoSuchFileError
from alpamayo_ros.yaml_file import compose_yaml, read_yaml

SUFFIXES = ('.yaml', '.yml')
SHOWN = 12  # names listed in a sentence; of more, only the nearest
Loc = Sequence[int | str]
Model = TypeVar('Model', bound=BaseModel)


class WrongKeyError(ValueError):
    """What a model's validator refuses across keys, with the one to correct."""

    def __init__(self, said: str, loc: Loc) -> None:
        super().__init__(said)
        self.loc = tuple(loc)


def nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean X?`` for the known word that is most like ``word``, or ''."""
    found = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f'; did you mean {found[0]}?' if found else ''


def unknown(kind: str, word: str, known: Iterable[str], listed: str = '', place: str = '') -> str:
    """``no KIND 'word'`` with the nearest word, else the known ones or where they are listed."""
    names = sorted(known)
    few = f'; there are {", ".join(names)}' if len(names) <= SHOWN or not listed else f'; {listed}'
    return f'no {kind} {word!r}{place}{nearest(word, names) or few}'


def absent(kind: str, path: Path) -> str:
    """``no KIND path`` with what it is instead, else with the nearest name beside it."""
    if path.exists():
        return f'no {kind} {path}: it is a {"folder" if path.is_dir() else "pipe or a device"}'
    if path.is_symlink():
        return f'no {kind} {path}: it is a link to {path.readlink()}, where nothing is'
    beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    return f'no {kind} {path}{nearest(path.name, beside)}'


def check_folders(folders: Iterable[Path]) -> None:
    """ConfigError for the first that is none, with what it is or the nearest name beside it."""
    for folder in folders:
        if folder.is_file():
            raise ConfigError(f'{folder} is a file; expected a folder')
        if not folder.is_dir():
            raise NoSuchFileError(absent('folder', folder))


def find(kind: str, name_or_path: str | Path, known: Mapping[str, Path], where: str = '') -> Path:
    """The file of a name, or the path itself; ConfigError where it is no file."""
    path = Path(name_or_path)
    if path.suffix not in SUFFIXES:
        path = known.get(str(name_or_path), path)
    if path.is_file():
        return path
    if path.is_dir():
        raise ConfigError(f'{path} is a folder; expected the .yaml file of a {kind}')
    if path.suffix in SUFFIXES:
        raise NoSuchFileError(absent(f'{kind} file', path))
    said = unknown(kind, str(name_or_path), known, where)
    raise NoSuchFileError(f'{said} (or give the path of a .yaml file)')


def read_model(
    path: Path, model: type[Model], at: Loc = (), changes: Mapping[str, Any] | None = None
) -> Model:
    """The checked contents of a YAML file; ``at``: the keys below which they stand.

    ``changes`` replace what the file says.
    """
    tree = read_yaml(path)
    for key in at:
        if not isinstance(tree, Mapping) or key not in tree:
            layout = ' -> '.join(map(str, at))
            raise ConfigError(f'{path}: expected {layout} -> keys, got no {key}')
        tree = tree[key]
    if not isinstance(tree, Mapping):
        kind = 'nothing' if tree is None else type(tree).__name__
        raise ConfigError(f'{path}: expected keys with values, got {kind}')
    try:
        return model.model_validate({**tree, **(changes or {})})
    except ValidationError as error:
        raise ConfigError(_sentence(path, error, model, at)) from error


def _sentence(path: Path, error: ValidationError, model: type[BaseModel], at: Loc) -> str:
    """The first thing that is wrong, with its line; how many more there are."""
    found = error.errors()  # a misspelt key says more than the one that is missing for it
    first = next((e for e in found if e['type'] == 'extra_forbidden'), found[0])
    said, loc = described(first, model), _place(first)
    others = [e for e in found if e is not first and not _explained(e, said)]
    more = f' (and {len(others)} more)' if others else ''
    return f'{path}:{line_of(path, (*at, *loc))}: {said}{more}'


def _place(found: ErrorDetails) -> Loc:
    """The keys down to what is wrong, which a validator across keys names itself."""
    cause = found.get('ctx', {}).get('error')
    return (*found['loc'], *(cause.loc if isinstance(cause, WrongKeyError) else ()))


def _explained(found: ErrorDetails, said: str) -> bool:
    """Whether a key is missing because the sentence before is about its misspelling."""
    return found['type'] == 'missing' and str(found['loc'][-1]) in said


def described(found: ErrorDetails, model: type[BaseModel]) -> str:
    """``key: what was expected, what came`` of one error of a model."""
    loc, said = found['loc'], found['msg'].removeprefix('Value error, ')
    key = '.'.join(map(str, loc))
    if found['type'] == 'extra_forbidden':
        place = f' in {_parent(loc)}'
        return unknown('key', str(loc[-1]), keys_at(model, loc), place=place)
    if found['type'] == 'missing':
        return f'{key}: this key is missing'
    if found['type'] == 'value_error' or isinstance(found['input'], Mapping | BaseModel):
        return f'{key}: {said}' if key else said
    shown = repr(found['input'])
    got = shown if len(shown) <= 60 else f'{shown[:57]}...'
    return f'{key or "the file"}: {said[0].lower()}{said[1:]}, got {got}'


def _parent(loc: Loc) -> str:
    return '.'.join(map(str, loc[:-1])) or 'this file'


def keys_at(model: type[BaseModel], loc: Loc) -> set[str]:
    """The keys that may stand beside the last key of ``loc``."""
    models: set[type[BaseModel]] = {model}
    for part in loc[:-1]:
        inner = {
            m
            for one in models
            if part in one.model_fields
            for m in _models(one.model_fields[str(part)].annotation)
        }
        models = inner or models  # an index, or the name of a kind among several
    return {name for one in models for name in one.model_fields}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models anywhere within an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def line_of(path: Path, loc: Loc) -> int:
    """Line of the deepest key of ``loc`` that the file has, from 1 on."""
    node = compose_yaml(path)
    line = 1
    for part in loc:
        for key, start, value in _entries(node):
            if key == str(part):
                node, line = value, start.start_mark.line + 1
                break
    return line


def _entries(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """Key or place, the node where it begins, and what it holds."""
    if isinstance(node, yaml.SequenceNode):
        yield from ((str(place), item, item) for place, item in enumerate(node.value))
    elif isinstance(node, yaml.MappingNode):
        yield from ((key.value, key, value) for key, value in node.value)
