"""Names that a topic map may rename: those of the table of what every node says and hears."""

from __future__ import annotations

from collections.abc import Iterator

from alpamayo_ros.config_file import unknown
from alpamayo_ros.graph_spec import topic_map
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.security.access import NODES, Given
from alpamayo_ros.sensing.rig import Rig
from alpamayo_ros.statuses import ConfigError

LOCKSTEP = ('timestep', 'step_done')
EVERYTHING = {'objects_expected': True, 'lockstep': True, 'commanded': True}


def renameable(rig: Rig, profile: ModelProfile) -> frozenset[str]:
    """Topics of every node of the package with this rig, under the names that nodes use."""
    return frozenset(_names(rig, profile))


def _names(rig: Rig, profile: ModelProfile) -> Iterator[str]:
    cameras = rig.for_profile(profile)
    yield from LOCKSTEP
    infos = tuple(c.info_topic for c in cameras if c.info_topic)
    for shadow in (False, True):
        options = {**EVERYTHING, 'shadow': shadow}
        given = Given(rig, tuple(c.topic for c in cameras), infos, options)
        for wanted in NODES.values():
            access = wanted(given)
            yield from (name for name in (*access.says, *access.hears) if name[0] != '~')


def check_topic_map(path: str, rig: Rig, profile: ModelProfile) -> None:
    """ConfigError for a line of a topic map whose name no node has: it would rename nothing."""
    known = renameable(rig, profile) if path else frozenset()
    for name, _ in topic_map(path):
        if name not in known:
            plain = ', '.join(sorted(n for n in known if '/' not in n))
            wrong = unknown(
                'topic of a node', name, known, f'there are those of the rig and {plain}'
            )
            raise ConfigError(f'{path}: {wrong}; this line would rename nothing')
