"""Writes a bundle: a folder that is copied to a GPU machine and started there by one command."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

import alpamayo_ros
from alpamayo_ros.profile import share_dir
from alpamayo_ros.training.bundle.packages import (
    BundleError,
    download_libraries,
    download_towns,
    download_wheels,
)
from alpamayo_ros.training.bundle.scripts import FILES
from alpamayo_ros.training.stream.settings import HEADS, Settings

LARGEST = 64 * 2**20  # bytes: what is easily carried
BESIDE = ('tokenizer.json', 'grammar.json', HEADS)


def write_bundle(
    to: Path, settings: Settings, weights: Path, python: str, libraries: bool, towns: bool
) -> dict[str, int]:
    """Write everything into ``to``; bytes by part.  BundleError says what is missing."""
    if to.exists() and any(to.iterdir()):
        raise BundleError(f'{to} is not empty: choose another --to')
    _copy_code(to / 'code')
    begin = to / 'begin'
    begin.mkdir()
    shutil.copyfile(weights, begin / 'model.safetensors')
    for name in BESIDE:
        if (weights.parent / name).is_file():
            shutil.copyfile(weights.parent / name, begin / name)
    said = settings.model_dump() | {'towns': towns}
    (to / 'recipe.yaml').write_text(yaml.safe_dump(said, sort_keys=False))
    for name, text in FILES.items():
        (to / name).write_text(text)
    download_wheels(to / 'wheels', python)
    if towns:
        download_towns(to / 'sumo' / 'sumo.tar.xz', python)
    if libraries:
        download_libraries(to / 'gl')
    sizes = {part.name: _bytes(part) for part in sorted(to.iterdir())}
    if sum(sizes.values()) > LARGEST:
        raise BundleError(
            f'{to} has {sum(sizes.values())} bytes; at most {LARGEST} can be carried'
        )
    return sizes


def _copy_code(to: Path) -> None:
    """The package's Python files and its configuration; messages and nodes need ROS."""
    package = Path(alpamayo_ros.__file__).parent
    left_out = shutil.ignore_patterns('__pycache__', '*.so', 'msg', 'nodes')
    shutil.copytree(package, to / 'alpamayo_ros', ignore=left_out)
    shutil.copytree(share_dir() / 'config', to / 'config')


def _bytes(part: Path) -> int:
    files = [part] if part.is_file() else [p for p in part.rglob('*') if p.is_file()]
    return sum(p.stat().st_size for p in files)
