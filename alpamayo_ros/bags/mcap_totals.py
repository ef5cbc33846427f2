"""Whether what was read from an mcap is what its indexes and its summary say was written."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Mapping

from mcap.records import Chunk, ChunkIndex

from alpamayo_ros.bags.mcap_frame import Tail, Unit
from alpamayo_ros.bags.parts import Damage, Topic
from alpamayo_ros.units import counted

Rows = dict[int, list[tuple[int, int]]]  # by channel: (log time, offset in the chunk), sorted


class Totals:
    """``counts``: messages read by channel; ``chunks``: what their indexes must say, by offset."""

    def __init__(self) -> None:
        """Nothing was read yet."""
        self.counts: Counter[int] = Counter()
        self.chunks: dict[int, ChunkIndex] = {}
        self._last: ChunkIndex | None = None
        self._rows: Rows = {}

    def chunk(self, unit: Unit, chunk: Chunk, rows: Rows) -> None:
        """A chunk was read; ValueError where its messages are not from the time that it names."""
        times = (chunk.message_start_time, chunk.message_end_time)
        if rows:
            first = min(found[0][0] for found in rows.values())
            last = max(found[-1][0] for found in rows.values())
            if times != (first, last):
                raise ValueError('its messages are not from the time that it names')
        self._rows = rows
        self._last = self.chunks[unit.offset] = ChunkIndex(
            chunk_length=unit.length,
            chunk_start_offset=unit.offset,
            compression=chunk.compression,
            compressed_size=len(chunk.data),
            message_end_time=times[1],
            message_index_length=0,
            message_index_offsets={},
            message_start_time=times[0],
            uncompressed_size=chunk.uncompressed_size,
        )

    def index(self, unit: Unit, body: bytes) -> None:
        """A message index was read; ValueError unless it is that of the chunk before it."""
        channel, rows = message_index(body)
        if self._rows.get(channel, []) != sorted(rows):
            raise ValueError('it disagrees with the chunk before it')
        if self._last is not None:
            self._last.message_index_offsets[channel] = unit.offset
            self._last.message_index_length += unit.length

    def check(self, tail: Tail, channels: Mapping[int, Topic]) -> None:
        """All was read: Damage where messages, chunks or indexes are not as ``tail`` says."""
        if tail.statistics is not None:
            wrote = tail.statistics.channel_message_counts
            if unknown := wrote.keys() - channels.keys():
                text = f'the statistics count messages of channel {min(unknown)}: there is none'
                raise Damage(text)
            had, said = by_topic(self.counts, channels), by_topic(wrote, channels)
            for name in sorted(had.keys() | said.keys()):
                if had[name] != said[name]:
                    text = f'{counted(had[name], "message")} found, {said[name]} were recorded'
                    raise Damage(text, topic=name)
            if (count := tail.statistics.chunk_count) != len(self.chunks):
                raise Damage(f'{counted(len(self.chunks), "chunk")} found, {count} were written')
        for offset, index in tail.chunks.items():
            if self.chunks.get(offset) != index:
                raise Damage('the index of a chunk disagrees with it', offset)


def by_topic(counts: Mapping[int, int], channels: Mapping[int, Topic]) -> Counter[str]:
    """Messages by topic, from messages by channel: a topic may have several."""
    out: Counter[str] = Counter()
    for channel, count in counts.items():
        out[channels[channel].name] += count
    return out


def message_index(body: bytes) -> tuple[int, list[tuple[int, int]]]:
    """Channel and rows of a message index; the library takes seven times as long over them."""
    channel, length = struct.unpack_from('<HI', body)
    rows = body[6 : 6 + length]
    if len(rows) != length:
        raise ValueError(f'{length} bytes announced, {len(rows)} left')
    return channel, list(struct.iter_unpack('<QQ', rows))
