"""What the readers of bag files share: a message as it lies in the file, and damage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Topic:
    """One stream: its name, message type, and the definition that the bag carries ('' : none).

    ``encoding`` of the definition: ``ros2msg`` or ``ros2idl``.  ``serialization`` of the messages:
    ``cdr`` is what ROS 2 sends.
    """

    name: str
    type: str
    definition: str = ''
    encoding: str = 'ros2msg'
    serialization: str = 'cdr'


class StoredMessage(NamedTuple):
    """A serialised message.

    ``time_ns`` is when it was recorded, ``offset`` the byte of the file where its chunk or record
    begins (-1: unknown).
    """

    topic: Topic
    time_ns: int
    data: bytes
    offset: int


class Damage(Exception):
    """A bag ends early or contradicts itself; becomes a BAG_BROKEN fault at the reader's edge.

    ``offset``: the byte where it shows, -1 where unknown.  ``topic``: whose message, '' unknown.
    """

    def __init__(self, sentence: str, offset: int = -1, topic: str = '', file: str = '') -> None:
        super().__init__(sentence)
        self.sentence, self.offset, self.topic, self.file = sentence, offset, topic, file

    def __str__(self) -> str:
        """The sentence with everything that is known about the place."""
        where = f'{self.file}: ' if self.file else ''
        at = f' (byte {self.offset})' if self.offset >= 0 else ''
        of = f' on {self.topic}' if self.topic else ''
        return f'{where}{self.sentence}{of}{at}'
