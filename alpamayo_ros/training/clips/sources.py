"""Every data set there is by its name; an installed package adds its own.

A package registers a class under the entry point group ``alpamayo.clips``; it is made with the
path that is named behind its name, ``NAME:PATH``.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from alpamayo_ros.bags.folder import READERS
from alpamayo_ros.config_file import unknown
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.clips import storage
from alpamayo_ros.training.clips.clip import ClipSource
from alpamayo_ros.training.clips.nuscenes_clips import NuscenesClips
from alpamayo_ros.training.clips.physical_ai_clips import PhysicalAiClips
from alpamayo_ros.training.clips.recorded_clip import RecordedClips, StoredClips

GROUP = 'alpamayo.clips'
OWN: dict[str, Callable[[Path], ClipSource]] = {
    'clips': StoredClips,
    'recording': RecordedClips,
    'nuscenes': NuscenesClips,
    'physical_ai_av': PhysicalAiClips,
}
FORM = 'NAME:PATH'


def names() -> list[str]:
    """Of all sources, this package's own first."""
    return [*OWN, *sorted({p.name for p in entry_points(group=GROUP)} - set(OWN))]


def open_source(text: str) -> ClipSource:
    """``NAME:PATH``, or a path whose kind its files tell; ConfigError says what is wrong."""
    name, colon, path = text.partition(':')
    if not colon or (name not in names() and Path(text).exists()):
        name, path = _kind(Path(text)), text
    if name not in names():
        raise ConfigError(f'{text!r}: {unknown("source of clips", name, names())}; give {FORM}')
    if not Path(path).exists():
        raise ConfigError(f'{text!r}: there is no {path}')
    made = OWN[name](Path(path)) if name in OWN else _made(name, Path(path))
    if not isinstance(made, ClipSource):
        raise ConfigError(f'{name} of {GROUP} has no method clips()')
    return made


def _made(name: str, path: Path) -> ClipSource:
    """Somebody else's source; two packages that offer one name are refused."""
    offers = sorted({point.value for point in entry_points(group=GROUP, name=name)})
    if len(offers) > 1:
        raise ConfigError(f'{name} is offered more than once, as {" and as ".join(offers)}')
    point = next(iter(entry_points(group=GROUP, name=name)))
    try:
        source: ClipSource = point.load()(path)
    except Exception as error:  # somebody else's code raises what it likes
        raise ConfigError(f'{name} ({point.value}): {type(error).__name__}: {error}') from error
    return source


def _kind(path: Path) -> str:
    """What a path holds."""
    if not path.exists():
        raise ConfigError(f'{path}: there is neither a file nor a folder of that name')
    if path.is_file() or (path / 'metadata.yaml').is_file():
        return 'recording'
    if (path / 'clip_index.parquet').is_file():
        return 'physical_ai_av'
    if next(path.glob('v1.0-*/scene.json'), None) is not None:
        return 'nuscenes'
    if next(storage.find([path]), None) is not None:
        return 'clips'
    if any(file.suffix in READERS for file in path.iterdir()):
        return 'recording'
    raise ConfigError(f'{path} holds no clips; expected {", ".join(names())}, as {FORM}')
