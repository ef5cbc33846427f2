"""A drafted rig as a YAML file that a person goes on with: each remark above what it is about."""

from __future__ import annotations

import textwrap
from typing import Any

import yaml

from alpamayo_ros.rigs.from_bag import Draft

HEAD = """\
# Rig of {bag}, written by alpamayo rig from-bag.
# What is marked ASSUMED the bag does not say. Measure it, correct it, and take its key out of
# `assumed`: while one is left, `alpamayo replay` wants --incomplete and `alpamayo up vehicle`
# starts in shadow mode only.
"""


def text(drafted: Draft, bag: str) -> str:
    """The file, as ``load_rig`` reads it."""
    data = drafted.rig.model_dump(mode='json', exclude_none=True)
    cameras = data.pop('cameras')
    rest = {key: data.pop(key) for key in ('odometry', 'vehicle')}
    parts = [HEAD.format(bag=printable(bag)), _dump(data), 'cameras:\n']
    for camera in cameras:
        parts.append(_comments(drafted.remarks.get(camera['name'], []), '  '))
        parts.append(_camera(camera))
    for key, value in rest.items():
        mark = '# ASSUMED\n' if key in drafted.rig.assumed else ''
        parts.append(f'{mark}{_dump({key: value})}')
    return ''.join((*parts, _comments(drafted.remarks.get('', []), '')))


def printable(line: str) -> str:
    """A line of a comment and no more: what a bag says must not begin a line of its own."""
    return ''.join(c if c.isprintable() else '?' for c in line)


def _camera(camera: dict[str, Any]) -> str:
    """One entry of the list, its short values on one line."""
    return textwrap.indent(_dump([camera]), '  ')


def _dump(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, default_flow_style=None, width=120)


def _comments(lines: list[str], indent: str) -> str:
    return ''.join(f'{indent}# {printable(line)}\n' for line in lines)
