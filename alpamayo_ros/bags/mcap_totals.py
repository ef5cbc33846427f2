"""Whether what was read from an mcap is what its summary says was written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from alpamayo_ros.bags.mcap_frame import Tail
from alpamayo_ros.bags.parts import Damage, Topic


class SeenChunk(NamedTuple):
    """What the index of a chunk must say."""

    start_ns: int
    end_ns: int
    length: int
    size: int
    compression: str
    packed: int


def check_totals(
    tail: Tail,
    counts: Mapping[str, int],
    channels: Mapping[int, Topic],
    chunks: Mapping[int, SeenChunk],
    indexed: set[tuple[int, int]],
) -> None:
    """Messages by topic, number of chunks, and each chunk's index against what was read.

    ``chunks`` by offset; ``indexed``: (offset, channel) of the message indexes.
    """
    if tail.counts is not None:
        said: Counter[str] = Counter()
        for number, count in tail.counts.items():
            if number not in channels:
                raise Damage(f'the statistics count messages of channel {number}: there is none')
            said[channels[number].name] += count
        for name in sorted(counts.keys() | said.keys()):
            if (had := counts.get(name, 0)) != said[name]:
                raise Damage(f'{had} messages found, {said[name]} were recorded', topic=name)
        if tail.chunk_count != len(chunks):
            raise Damage(f'{len(chunks)} chunks found, {tail.chunk_count} were written')
    for offset, index in tail.chunks.items():
        times = (index.start_ns, index.end_ns)
        said_of = SeenChunk(*times, index.length, index.size, index.compression, index.packed)
        if chunks.get(offset) != said_of:
            raise Damage('the index of a chunk disagrees with it', offset)
        if not indexed.issuperset((at, c) for c, at in index.indexes.items()):
            raise Damage('the message index of a chunk is not where it should be', offset)
