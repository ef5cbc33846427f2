"""A recording that grows while a graph runs: serialised messages in, an mcap out.

A thread writes, so that a slow disk does not slow down who delivers.  The file has its name only
when it is complete.  A disk with less room than the limit, or none, ends the recording, not the
caller: what fits is closed as a whole mcap which says why it ended.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import Counter
from pathlib import Path

from alpamayo_ros.bags.bag import ABOUT
from alpamayo_ros.bags.disk_room import DiskRoom
from alpamayo_ros.bags.mcap_writer import McapWriter
from alpamayo_ros.bags.new_bag import check_new_bag
from alpamayo_ros.bags.parts import Topic
from alpamayo_ros.faults import Code, Fault

FLUSH_S = 1.0  # what is older than this is on disk: a crash costs no more
Entry = tuple[Topic, str, int, bytes]


class BagSink:
    """``counts``: messages taken by topic.

    ``fault``: DISK_FULL once the recording has ended early.  ``warning``: DISK_WARN while little
    room is left.  ``lost``: messages dropped because the disk was slower than the graph.
    """

    def __init__(
        self,
        path: Path,
        room: DiskRoom,
        compression: str = '',
        about: dict[str, str] | None = None,
        queue_bytes: int = 1 << 28,
    ) -> None:
        """Open ``path`` + ``.part`` beside the target; OSError where that cannot be.

        ConfigError where another recording lies there.
        """
        check_new_bag(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.part = path, path.with_name(path.name + '.part')
        self.counts: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.fault: Fault | None = None
        self.warning: Fault | None = None
        self._room = room
        self._about = dict(about or {})
        self._file = self.part.open('wb', buffering=0)
        self._writer = McapWriter(self._file, compression)
        self._channels: dict[str, int] = {}
        self._queue: queue.Queue[Entry | None] = queue.Queue()
        self._held, self._limit = 0, queue_bytes
        self._lock = threading.Lock()
        self._look()
        self._thread = threading.Thread(target=self._work, name='bag', daemon=True)
        self._thread.start()

    @property
    def written(self) -> int:
        """Messages in the file; fewer than were taken after a full disk."""
        return self._writer.total

    def take(self, topic: Topic, qos: str, time_ns: int, data: bytes) -> None:
        """Record a message; ``qos``: offered_qos_profiles as rosbag2 writes them, may be ''."""
        if self.fault is not None:
            return
        with self._lock:
            full = self._held + len(data) > self._limit
            if not full:
                self._held += len(data)
        if full:
            self.lost[topic.name] += 1
            return
        self.counts[topic.name] += 1
        self._queue.put((topic, qos, time_ns, data))

    def close(self) -> Path | None:
        """Write what is left and give the file its name; None where nothing could be kept."""
        self._queue.put(None)
        self._thread.join()
        if self.fault is not None:
            self._about['ended'] = str(self.fault.code.name)
        if self.lost:
            self._about['lost'] = ', '.join(f'{n} on {t}' for t, n in sorted(self.lost.items()))
        try:
            if self._about:
                self._writer.note(ABOUT, self._about)
            self._writer.close()
            os.fsync(self._file.fileno())
            self._file.close()
            os.replace(self.part, self.path)
        except OSError as error:
            self.fault = self.fault or self._room.refused(error)
            self._file.close()
            return None
        return self.path

    def _work(self) -> None:
        flushed_s = time.monotonic()
        while True:
            try:
                entry = self._queue.get(timeout=FLUSH_S)
            except queue.Empty:
                self._look()
                self._try(None)
                continue
            if entry is None:
                self._try(None)
                return
            with self._lock:
                self._held -= len(entry[3])
            self._try(entry)
            if time.monotonic() - flushed_s > FLUSH_S:
                flushed_s = time.monotonic()
                self._look()
                self._try(None)

    def _look(self) -> None:
        """How much room is left; too little ends the recording while it can be closed."""
        found = self._room.check()
        ended = found is not None and found.code is Code.DISK_FULL
        self.fault = self.fault or (found if ended else None)
        self.warning = None if ended else found

    def _try(self, entry: Entry | None) -> None:
        """Write an entry, or what is pending; an error of the disk ends the recording."""
        if self.fault is not None:
            return
        try:
            if entry is None:
                self._writer.flush()
                return
            topic, qos, time_ns, data = entry
            if topic.name not in self._channels:
                metadata = {'offered_qos_profiles': qos}
                self._channels[topic.name] = self._writer.channel(topic, metadata)
            self._writer.write(self._channels[topic.name], time_ns, data)
        except OSError as error:
            self.fault = self._room.refused(error)
