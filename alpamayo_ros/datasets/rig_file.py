"""The rig file that lies beside a converted recording."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from alpamayo_ros.sensing.rig import Rig


def rig_path(bag: Path) -> Path:
    """Where the rig of ``drive.mcap`` or of the folder ``drive`` lies: ``drive.rig.yaml``, beside.

    The folder may be the present one, whose path ``.`` has no name.
    """
    named = bag if bag.name not in ('', '..') else Path(os.path.abspath(bag))
    if named.is_dir():  # a dot in its name is no ending
        return named.with_name(f'{named.name}.rig.yaml')
    return named.with_suffix('.rig.yaml')


def write_rig(rig: Rig, bag: Path, comment: str) -> Path:
    """Write ``rig`` beside ``bag``; ``comment``: the first line, where it comes from."""
    path = rig_path(bag)
    path.write_text(rig_text(rig, comment))
    return path


def rig_text(rig: Rig, comment: str) -> str:
    """A rig as ``load_rig`` reads it."""
    text = yaml.safe_dump(rig.model_dump(mode='json', exclude_none=True), sort_keys=False)
    return f'# {comment}\n{text}'
