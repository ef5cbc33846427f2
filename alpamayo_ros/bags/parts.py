"""What the readers of bag files share: a message as it lies in the file, and damage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

LFS_POINTER = b'version https://git-lfs'  # first words of the file that Git leaves instead


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


def full_type(name: str) -> str:
    """``std_msgs/msg/String``, also where a writer of CDR left the middle part out."""
    package, _, rest = name.partition('/')
    return f'{package}/msg/{rest}' if rest and '/' not in rest else name


def is_pointer(path: Path) -> bool:
    """Whether a file is the few lines that Git LFS leaves where it has not fetched the file."""
    if not path.is_file():
        return False
    with path.open('rb') as file:
        return file.read(len(LFS_POINTER)) == LFS_POINTER


def no_bag(path: Path) -> str:
    """What a file is instead of a bag of ROS 2, and what was expected."""
    if is_pointer(path):
        return f'{path} is a Git LFS pointer, not the recording; type git lfs pull'
    if path.suffix == '.bag':
        convert = f'rosbags-convert --src {path.name} --dst {path.stem}'
        return f'{path} is a bag of ROS 1; one of ROS 2 is expected: {convert} makes it'
    return f'{path} is no bag: expected .mcap, .db3 or a folder of rosbag2'
