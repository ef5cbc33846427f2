"""Small JSON files by which a training run and its processes keep and tell things."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from alpamayo_ros.bags.whole_file import write_whole
from alpamayo_ros.statuses import ConfigError


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write atomically: who reads sees the old or the new."""
    write_whole(path, json.dumps(value))


def read_json(path: Path) -> dict[str, Any]:
    """What :func:`write_json` wrote, nothing where it has not yet; ConfigError where damaged."""
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ConfigError(f'{path} is damaged: no valid JSON: {error}') from error
    if not isinstance(found, dict):
        text = f'{path} is damaged: expected a JSON object, got {type(found).__name__}'
        raise ConfigError(text)
    return found
