"""What to record, read from ``config/record.yaml``: the parameter file of rosbag2's recorder."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpamayo_ros.bags.new_bag import check_new_bag
from alpamayo_ros.config_file import absent, line_of, unknown
from alpamayo_ros.profile import share_dir
from alpamayo_ros.statuses import ConfigError, NoSuchFileError
from alpamayo_ros.yaml_file import read_yaml

PRESETS = {'': '', 'none': '', 'fastwrite': '', 'zstd_fast': 'zstd', 'zstd_small': 'zstd'}
IGNORED_IF = {'all_topics': True, 'start_paused': True}  # what would record something else
SIM_TIME = 'use_sim_time'  # of every node
OBEYED: dict[str, dict[str, type]] = {
    'record': {'topics': list, 'regex': str, 'all_topics': bool, 'start_paused': bool},
    'storage': {'storage_id': str, 'storage_preset_profile': str},
}
# Further parameters of rosbag2's recorder, which say nothing to ours.
UNHEARD: dict[str, tuple[str, ...]] = {
    'record': (
        'all_services', 'all_actions', 'is_discovery_disabled', 'topic_types', 'services',
        'actions', 'exclude_topics', 'exclude_topic_types', 'exclude_services', 'exclude_actions',
        'exclude_regex', 'rmw_serialization_format', 'topic_polling_interval', 'node_prefix',
        'compression_mode', 'compression_format', 'compression_queue_size', 'compression_threads',
        'compression_threads_priority', 'qos_profile_overrides_path', 'include_hidden_topics',
        'include_unpublished_topics', 'ignore_leaf_topics', 'disable_keyboard_controls',
        'use_sim_time',
    ),
    'storage': (
        'uri', 'storage_config_uri', 'max_bagfile_size', 'max_bagfile_duration', 'max_cache_size',
        'snapshot_mode', 'custom_data', 'start_time_ns', 'end_time_ns',
    ),
}  # fmt: skip


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
    loc, record, storage = _sections(file)
    _check_keys(file, (*loc, 'record'), record)
    _check_keys(file, (*loc, 'storage'), storage)
    for key, unwanted in IGNORED_IF.items():
        if record.get(key) == unwanted:
            raise ValueError(f'{file}: record.{key}: {unwanted} is not supported; list the topics')
    topics = record.get('topics')
    if topics is None or not all(isinstance(t, str) for t in topics):
        raise ValueError(f'{file}: record.topics is a list of topic names')
    if relative := [t for t in topics if not t.startswith('/')]:
        raise ValueError(f'{file}: record.topics: {relative[0]!r} has no / in front')
    if storage.get('storage_id', 'mcap') != 'mcap':
        raise ValueError(f'{file}: storage.storage_id is mcap, not {storage["storage_id"]!r}')
    preset = storage.get('storage_preset_profile', '')
    if preset not in PRESETS:
        known = ', '.join(name for name in PRESETS if name)
        raise ValueError(f'{file}: storage.storage_preset_profile is one of {known}')
    try:
        regex = record.get('regex', '')
        pattern = re.compile(regex) if regex else None
    except re.error as error:
        raise ValueError(f'{file}: record.regex: {error}') from error
    return RecordPlan(frozenset(topics), pattern, PRESETS[preset])


def _sections(file: Path) -> tuple[tuple[str, ...], Mapping[Any, Any], Mapping[Any, Any]]:
    """The keys down to what the recorder is told, and its two parts."""
    tree = read_yaml(file)
    for name, node in tree.items() if isinstance(tree, dict) else ():
        found = node.get('ros__parameters') if isinstance(node, dict) else None
        if not isinstance(found, dict):
            continue
        record, storage = (found.get(part) for part in OBEYED)
        if isinstance(record, dict) and isinstance(storage, dict):
            loc = (str(name), 'ros__parameters')
            _check_beside(file, loc, found)
            return loc, record, storage
    raise ValueError(f'{file}: expected NODE: ros__parameters: with record: and storage:')


def _check_beside(file: Path, loc: tuple[str, ...], found: Mapping[Any, Any]) -> None:
    """ValueError where more than ``use_sim_time`` stands beside the two parts."""
    for key, value in found.items():
        at = (*loc, str(key))
        if key not in (*OBEYED, SIM_TIME):
            wrong = unknown('key', str(key), (*OBEYED, SIM_TIME))
            raise ValueError(f'{file}:{line_of(file, at)}: {wrong}')
        if key == SIM_TIME and not isinstance(value, bool):
            raise ValueError(f'{file}:{line_of(file, at)}: {key}: expected bool, got {value!r}')


def _check_keys(file: Path, loc: tuple[str, ...], values: Mapping[Any, Any]) -> None:
    """ValueError for a key that rosbag2 has not, or a value of a wrong type, with the line."""
    part = loc[-1]
    obeyed, unheard = OBEYED[part], UNHEARD[part]
    for key, value in values.items():
        wrong = ''
        if key not in obeyed and key not in unheard:
            wrong = unknown('key', str(key), (*obeyed, *unheard), place=f' in {part}')
        elif key == 'topics' and not isinstance(value, list):
            wrong = f'record.topics is a list of topic names, not {value!r}'
        elif key in obeyed and type(value) is not obeyed[key]:
            wrong = f'{part}.{key}: expected {obeyed[key].__name__}, got {value!r}'
        if wrong:
            raise ValueError(f'{file}:{line_of(file, (*loc, str(key)))}: {wrong}')


def without_effect(path: str | Path) -> list[str]:
    """The keys of a file that say something to rosbag2's recorder alone."""
    _, *parts = _sections(Path(path))
    both = zip(UNHEARD, parts, strict=True)
    return [f'{part}.{key}' for part, values in both for key in values if key in UNHEARD[part]]


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
        if silent := without_effect(path):
            text = f"{path}: {', '.join(silent)}: of rosbag2's recorder alone, no effect here"
            print(text, file=sys.stderr)
