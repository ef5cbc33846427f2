"""Recipes by name or path: of steps for ``train run``, of a stream for ``train stream``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from alpamayo_ros.config_file import find
from alpamayo_ros.profile import share_dir
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.yaml_file import read_yaml

Command = Literal['run', 'stream']
KEY: dict[Command, str] = {'run': 'steps', 'stream': 'stage'}  # which its recipes alone have


def find_recipe(command: Command, recipe: str) -> Path:
    """The file of a recipe of ``train COMMAND``; ConfigError where it is none, or the other's."""
    files = {p.stem: p for p in sorted((share_dir() / 'config' / 'training').glob('*.yaml'))}
    own = {name: path for name, path in files.items() if _command(path) == command}
    path = find('recipe', recipe, files if recipe in files else own)
    other = _command(path)
    if other and other != command:
        raise ConfigError(
            f'{path} is a recipe of another command: alpamayo train {other} --recipe {recipe}'
        )
    return path


def _command(path: Path) -> Command | None:
    """Whose recipe it is, by the key that those of one command alone have."""
    tree = read_yaml(path)
    found = [c for c, key in KEY.items() if isinstance(tree, Mapping) and key in tree]
    return found[0] if len(found) == 1 else None
