"""Reads a sqlite3 file of rosbag2 and checks what can be checked.

The format has no checksum: a flipped bit inside a message that still decodes cannot be seen
unless the recording was sealed (``bag_folder``).  Checked: the length against the header, the
structure and indexes (``PRAGMA integrity_check``), unfinished journals, each row, rows without a
topic.
"""

from __future__ import annotations

import re
import sqlite3
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from alpamayo_ros.bags.mcap import Wanted
from alpamayo_ros.bags.parts import Damage, StoredMessage, Topic, full_type

MAGIC = b'SQLite format 3\0'
HEADER_BYTES = 100
BY_TIME = 'SELECT id, topic_id, timestamp FROM messages ORDER BY timestamp, id'
BY_ID = 'SELECT id, topic_id, timestamp FROM messages NOT INDEXED ORDER BY id'


class SqliteFile:
    """One .db3 file, never written to.  ``wrong``: what is the matter with its structure.

    ``unchecked``: messages read that are under no checksum, which is all of them.
    """

    def __init__(self, path: Path) -> None:
        """Open it and look at its structure; Damage where not even the topics can be read."""
        self.path, self.size = path, path.stat().st_size
        self.seen: Counter[int] = Counter()
        self.unchecked = 0
        self.page_bytes, self.wrong = self._header()
        uri = f'file:{quote(str(path.absolute()))}?mode=ro&immutable=1'
        try:
            self._db = sqlite3.connect(uri, uri=True)
            self._db.text_factory = _text
            self._db.execute('PRAGMA trusted_schema = OFF')
            self._db.execute('PRAGMA cell_size_check = ON')
            if self.wrong is not None:
                # what is left of a file that is cut off can only be read so; nothing is written
                self._db.execute('PRAGMA writable_schema = ON')
            self._topics = self._read_topics()
            self.wrong = self.wrong or self._check()
        except (Damage, sqlite3.Error) as error:
            problem = error if isinstance(error, Damage) else self._cannot('it', error)
            raise self.wrong or problem from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @property
    def topics(self) -> list[Topic]:
        """Every topic."""
        return list(self._topics.values())

    def counts(self) -> dict[str, int]:
        """Messages read by topic, wanted or not."""
        out: Counter[str] = Counter()
        for number, count in self.seen.items():
            out[self._topics[number].name] += count
        return out

    def contents(self) -> list[tuple[str, str, int]]:
        """Topic, type and number of messages; Damage where they cannot be counted."""
        if self.wrong is not None:
            raise self.wrong
        rows = self._db.execute('SELECT topic_id, COUNT(*) FROM messages GROUP BY topic_id')
        counts = dict(rows.fetchall())
        return [(t.name, t.type, counts.get(i, 0)) for i, t in self._topics.items()]

    def first_ns(self) -> int | None:
        """Earliest message time; None in a file without messages or with a damaged structure."""
        if self.wrong is not None:
            return None
        row = self._db.execute('SELECT MIN(timestamp) FROM messages').fetchone()
        return None if row[0] is None else int(row[0])

    def times(self) -> dict[str, list[int]]:
        """Message times by topic."""
        out: dict[str, list[int]] = {}
        for number, time_ns in self._db.execute('SELECT topic_id, timestamp FROM messages'):
            if number not in self._topics:
                raise Damage(f'a message is of topic {ascii(number)}, which is not there')
            out.setdefault(self._topics[number].name, []).append(int(time_ns))
        return out

    def _header(self) -> tuple[int, Damage | None]:
        """Page size, and what the header and the neighbours of the file say against it."""
        with self.path.open('rb') as file:
            head = file.read(HEADER_BYTES)
        if len(head) < HEADER_BYTES:
            raise Damage(f'the file is cut off: it has {self.size} bytes', self.size)
        if not head.startswith(MAGIC):
            raise Damage('this is no sqlite3 file: it does not begin as one', 0)
        (page,) = struct.unpack_from('>H', head, 16)
        page = 65536 if page == 1 else page
        pages, changes, valid_for = (struct.unpack_from('>I', head, at)[0] for at in (28, 24, 92))
        if page < 512 or page & (page - 1):
            raise Damage(f'the header names pages of {page} bytes', 16)
        if changes == valid_for and pages * page != self.size:
            text = f'the file is cut off: it has {self.size} bytes of {pages * page}'
            if pages * page < self.size:
                text = f'the header counts {pages * page} bytes, the file has {self.size}'
            return page, Damage(text, min(self.size, pages * page))
        for ending in ('-wal', '-journal'):
            beside = self.path.with_name(self.path.name + ending)
            if beside.exists() and beside.stat().st_size:
                text = f'the recording was not closed: {beside.name} holds messages'
                return page, Damage(f'{text}; sqlite3 {self.path.name} "VACUUM" takes them in')
        return page, None

    def _read_topics(self) -> dict[int, Topic]:
        tables = {
            row[0] for row in self._db.execute("SELECT name FROM sqlite_master WHERE type='table'")
        }
        if not {'topics', 'messages'} <= tables:
            raise Damage(f'it has no tables topics and messages, but {sorted(map(ascii, tables))}')
        definitions: dict[str, tuple[str, str]] = {}
        if 'message_definitions' in tables:
            query = 'SELECT topic_type, encoded_message_definition, encoding FROM '
            for kind, text, encoding in self._db.execute(query + 'message_definitions'):
                definitions[str(kind)] = (str(text), str(encoding))
        out = {}
        for row in self._db.execute('SELECT id, name, type, serialization_format FROM topics'):
            number, name, kind, form = row
            if not all(isinstance(text, str) for text in (name, kind, form)):
                raise Damage(f'topic {number} is {ascii(row)}, not three texts')
            definition = definitions.get(kind, ('', 'ros2msg'))
            out[int(number)] = Topic(name, full_type(kind), *definition, form)
        return out

    def _check(self) -> Damage | None:
        """What sqlite finds wrong with pages, rows and indexes."""
        for (text,) in self._db.execute('PRAGMA integrity_check(1)'):
            if text != 'ok':
                return Damage(f'sqlite finds it damaged: {text}', *self._place(text))
        return None

    def _place(self, text: object) -> tuple[int]:
        """Byte of the page that a message of sqlite names, -1 where it names none."""
        found = re.search(r'[Pp]age (\d+)', str(text))
        return ((int(found[1]) - 1) * self.page_bytes,) if found else (-1,)

    def _cannot(self, what: str, error: Exception) -> Damage:
        return Damage(f'sqlite cannot read {what}: {error}', *self._place(error))

    def messages(self, wanted: Wanted) -> Iterator[StoredMessage]:
        """Messages of the wanted topics in time order; Damage after the last that can be had.

        Where the structure is damaged: in the order of recording, without the index.
        """
        cursor, one = self._db.cursor(), self._db.cursor()
        place = -1
        try:
            for place, number, time_ns in cursor.execute(BY_TIME if self.wrong is None else BY_ID):
                topic = self._topics.get(number)
                if topic is None:
                    raise Damage(
                        f'message {place} is of topic {ascii(number)}, which is not there'
                    )
                if not isinstance(time_ns, int) or time_ns < 0:
                    raise Damage(f'message {place} has the time {ascii(time_ns)}', -1, topic.name)
                self.seen[number] += 1
                self.unchecked += 1
                if wanted(topic):
                    row = one.execute(
                        'SELECT data FROM messages WHERE id = ?', (place,)
                    ).fetchone()
                    if row is None or not isinstance(row[0], bytes):
                        raise Damage(f'message {place} has no data', -1, topic.name)
                    yield StoredMessage(topic, time_ns, row[0], -1)
        except (Damage, sqlite3.Error, OverflowError) as error:
            known = isinstance(error, Damage)
            problem = error if known else self._cannot(f'on after message {place}', error)
            raise self.wrong or problem from error
        if self.wrong is not None:
            raise self.wrong


def _text(data: bytes) -> str:
    """A text of the file; bytes that are no UTF-8 come as ``\\xe9``."""
    return data.decode(errors='backslashreplace')
