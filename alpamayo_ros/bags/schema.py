"""Message types: the standard ones, the package's own, and those that only a bag describes.

A bag carries the definition of each of its types.  One that differs from the definition in force
here would be read as garbage, so it is refused.
"""

from __future__ import annotations

import re
import struct
from functools import cache, lru_cache
from typing import Any

from rosbags.interfaces import Msgdef
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore
from rosbags.typesys.base import TypesysError
from rosbags.typesys.store import Typestore

from alpamayo_ros.bags.parts import Topic
from alpamayo_ros.profile import share_dir

# between a definition and each of those that it uses, as rosbag2 writes them
NEXT = re.compile(r'^={80}\nMSG: (\S+)$', re.MULTILINE)
PARSE_ERRORS = (AssertionError, LookupError, SyntaxError, TypeError, TypesysError, ValueError)
# what decoding of damaged CDR bytes raises
UNDECODABLE = (
    AssertionError,
    IndexError,
    KeyError,
    MemoryError,
    OverflowError,
    SerdeError,
    UnicodeDecodeError,
    ValueError,
    struct.error,
)

# ackermann_msgs, which is not among the standard types (ros-drivers/ackermann_msgs)
ACKERMANN = {
    'AckermannDrive': """
        float32 steering_angle
        float32 steering_angle_velocity
        float32 speed
        float32 acceleration
        float32 jerk
    """,
    'AckermannDriveStamped': """
        std_msgs/Header header
        ackermann_msgs/AckermannDrive drive
    """,
}


class _Store(Typestore):
    """The known types, whose readers are made once a process, and those that one bag adds."""

    def get_msgdef(self, typename: str) -> Msgdef[object]:
        """The reader and writer of a type."""
        known = _known()
        if typename in known.types:
            return known.get_msgdef(typename)
        return super().get_msgdef(typename)


def typestore() -> Typestore:
    """The standard types of ROS 2 and, where the package's msg/ folder is present, its own."""
    known, store = _known(), _Store()
    store.types.update(known.types)
    store.fielddefs.update(known.fielddefs)
    return store


@cache
def _known() -> Typestore:
    store = get_typestore(Stores.ROS2_JAZZY)
    types: dict[str, Any] = {}
    for name, text in ACKERMANN.items():
        types.update(_parsed(text, f'ackermann_msgs/msg/{name}'))
    for path in sorted((share_dir() / 'msg').glob('*.msg')):
        types.update(_parsed(path.read_text(), f'alpamayo_ros/msg/{path.stem}'))
    store.register({name: known for name, known in types.items() if name not in store.types})
    return store


def opaque(topic: Topic, store: Typestore) -> str:
    """Why messages of a topic cannot be looked into, though sound; '' where they can."""
    if topic.serialization != 'cdr':
        return f'messages are {ascii(topic.serialization)}, only cdr can be read'
    if topic.definition.strip() or topic.type in store.types:
        return ''
    return f'{topic.type or "its type"} is not known here and the bag does not describe it'


def agree(topic: Topic, store: Typestore) -> str:
    """'' when the bag's definition is the one in force, else why messages cannot be read.

    A type unknown here is learnt from the bag.
    """
    if not topic.definition.strip():
        return opaque(topic, store)
    try:
        types = _parse(topic)
    except PARSE_ERRORS:
        of = ': it is the service, not its events' if '/srv/' in topic.type else ''
        return f'the definition of {topic.type} cannot be read{of}'
    for name, definition in types.items():
        if name in store.fielddefs and _shape(store.fielddefs[name]) != _shape(definition):
            text = f'{name} was recorded with other fields than this version has'
            return f'{text}: {_names(definition)} instead of {_names(store.fielddefs[name])}'
    new = {name: definition for name, definition in types.items() if name not in store.types}
    if new:
        store.register(new)
    return '' if topic.type in store.types else f'the definition is not one of {topic.type}'


def _parse(topic: Topic) -> dict[str, Any]:
    if topic.encoding == 'ros2idl':
        return dict(get_types_from_idl(topic.definition))
    first, *used = NEXT.split(topic.definition)
    types = dict(_parsed(first, topic.type))
    for name, text in zip(used[::2], used[1::2], strict=True):
        types.update(_parsed(text, name))
    return types


@lru_cache(maxsize=1024)  # whoever wrote a bag chose the texts
def _parsed(text: str, name: str) -> dict[str, Any]:
    """One definition; most topics use the same few, and parsing costs 3 ms of CPU time each."""
    return dict(get_types_from_msg(text, name))


def _shape(definition: Any) -> Any:
    """The fields; constants do not change how bytes are read."""
    return definition[1]


def _names(definition: Any) -> str:
    return ', '.join(name for name, _ in definition[1])
