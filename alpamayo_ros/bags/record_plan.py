"""What to record, read from ``config/record.yaml``: the parameter file of rosbag2's recorder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpamayo_ros.bags.new_bag import check_new_bag
from alpamayo_ros.config_file import absent
from alpamayo_ros.profile import share_dir
from alpamayo_ros.statuses import ConfigError, NoSuchFileError
from alpamayo_ros.yaml_file import read_yaml

PRESETS = {'': '', 'none': '', 'fastwrite': '', 'zstd_fast': 'zstd', 'zstd_small': 'zstd'}
IGNORED_IF = {'all_topics': True, 'start_paused': True}  # what would record something else


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """``topics``: full names; ``pattern`` (may be None) adds those that match it as a whole.

    ``compression`` of the chunks: '' or zstd.
    """

    topics: frozenset[str]
    pattern: re.Pattern[str] | None
    compression: str

    def wants(self, topic: str) -> bool:
        """Whether a topic is recorded."""
        matches = self.pattern is not None and self.pattern.fullmatch(topic) is not None
        return topic in self.topics or matches


def read_plan(path: str | Path = '') -> RecordPlan:
    """Read a parameter file of rosbag2_transport's recorder ('' : config/record.yaml).

    ValueError names a key that is missing, of a wrong type, or not supported here.
    """
    file = Path(path) if path else share_dir() / 'config' / 'record.yaml'
    tree = read_yaml(file)
    parameters: Mapping[str, Any] = {}
    for node in tree.values() if isinstance(tree, dict) else ():
        if isinstance(node, dict):
            parameters = node.get('ros__parameters', parameters)
    record, storage = parameters.get('record'), parameters.get('storage')
    if not isinstance(record, dict) or not isinstance(storage, dict):
        raise ValueError(f'{file}: expected NODE: ros__parameters: with record: and storage:')
    for key, unwanted in IGNORED_IF.items():
        if record.get(key) == unwanted:
            raise ValueError(f'{file}: record.{key}: {unwanted} is not supported; list the topics')
    topics = record.get('topics')
    if not isinstance(topics, list) or not all(isinstance(t, str) for t in topics):
        raise ValueError(f'{file}: record.topics is a list of topic names')
    if relative := [t for t in topics if not t.startswith('/')]:
        raise ValueError(f'{file}: record.topics: {relative[0]!r} has no / in front')
    if storage.get('storage_id', 'mcap') != 'mcap':
        raise ValueError(f'{file}: storage.storage_id is mcap, not {storage["storage_id"]!r}')
    preset = str(storage.get('storage_preset_profile', ''))
    if preset not in PRESETS:
        known = ', '.join(name for name in PRESETS if name)
        raise ValueError(f'{file}: storage.storage_preset_profile is one of {known}')
    try:
        regex = str(record.get('regex', ''))
        pattern = re.compile(regex) if regex else None
    except re.error as error:
        raise ValueError(f'{file}: record.regex: {error}') from error
    return RecordPlan(frozenset(topics), pattern, PRESETS[preset])


def check_plan(path: str, bag: str) -> None:
    """ConfigError: a file of topics is none or for no bag, or the bag takes another's place."""
    if bag:
        check_new_bag(Path(bag))
    if path and not bag:
        raise ConfigError('bag_topics says what bag_out records; bag_out is missing')
    if path:
        try:
            read_plan(path)
        except FileNotFoundError as error:
            raise NoSuchFileError(absent('file of topics', Path(path))) from error
        except ValueError as error:
            raise ConfigError(f'bag_topics: {error}') from error
