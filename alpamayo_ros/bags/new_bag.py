"""A bag that is to be written takes no other's place."""

from __future__ import annotations

from pathlib import Path

from alpamayo_ros.bags.folder import sums_path
from alpamayo_ros.statuses import ConfigError


def check_new_bag(path: Path) -> None:
    """ConfigError where it is no .mcap, or a recording, a part or a seal of one lies there."""
    if path.suffix != '.mcap':
        raise ConfigError(f'a bag is written as .mcap, not {path.name!r}; try {path.name}.mcap')
    part, seal = path.with_name(path.name + '.part'), sums_path(path)
    if path.is_file():
        found = f'{path} is there already, and no recording is written over another'
    elif part.is_file():
        found = f'{part} is there: what a killed recording left, for alpamayo data recover'
    elif seal.is_file():
        found = f'{seal} is there: the seal of an earlier recording'
    else:
        return
    raise ConfigError(f'{found}; name another file, or remove it')
