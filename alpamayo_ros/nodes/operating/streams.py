"""The topics of a running graph: which there are, what one carries, how often."""

from __future__ import annotations

import shutil
import sys
import time
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import yaml

from alpamayo_ros.graph_spec import NAMESPACE
from alpamayo_ros.nodes.common.processes import Processes
from alpamayo_ros.nodes.operating.outsider import NoAnswer, Outsider, nobody
from alpamayo_ros.units import counted

SHORT = 8  # numbers of an array that echo shows
WIDE = 200  # of lines that go into a file or a pipe
LOOK_S = 1.0  # how often it is looked who publishes


def topics(outsider: Outsider, every: bool) -> int:
    """A table of topics with type, publishers and subscriptions."""
    found, node = outsider.topics(), outsider.node
    rows = []
    for name, types in sorted(found.items()):
        if every or name.startswith(f'{NAMESPACE}/'):
            writers, readers = node.count_publishers(name), node.count_subscribers(name)
            if writers or readers:
                kind = ', '.join(types).replace('/msg/', '/')
                rows.append((name, kind, str(writers), str(readers)))
    if not rows:
        raise NoAnswer(f'no topic under {NAMESPACE}. {nobody(list(found))}')
    print('\n'.join(lines(rows, shutil.get_terminal_size((WIDE, 24)).columns)))
    return 0


def lines(rows: Sequence[tuple[str, str, str, str]], width: int) -> list[str]:
    """Topics, types, publishers and subscriptions as columns; two lines a topic where narrower."""
    whole = [('topic', 'type', 'publishers', 'subscriptions'), *rows]
    name_width, kind_width = (max(len(row[i]) for row in whole) for i in range(2))
    out = [f'{n:<{name_width}}  {k:<{kind_width}}  {p:>10}  {r:>13}' for n, k, p, r in whole]
    if max(map(len, out)) <= width:
        return out
    return [
        line
        for name, kind, publishers, readers in rows
        for line in (name, f'  {kind}, from {publishers}, to {readers}')
    ]


class Writers:
    """Says, once each, that nobody publishes a topic any more, and that somebody does again."""

    def __init__(self, outsider: Outsider, topic: str) -> None:
        self._node, self._topic = outsider.node, outsider.full(topic)
        self._processes, self._there, self._due_s = Processes(), True, 0.0

    def look(self, now_s: float) -> None:
        """Every ``LOOK_S``; a killed process counts as gone at once."""
        if now_s < self._due_s:
            return
        self._due_s = now_s + LOOK_S
        self._processes.begin()
        ends = self._node.get_publishers_info_by_topic(self._topic)
        there = any([self._processes.lives(end) for end in ends])
        if there != self._there:
            self._there = there
            now = 'is published again' if there else 'has no publisher any more; Ctrl-C ends this'
            print(f'{self._topic} {now}', file=sys.stderr, flush=True)


def echo(outsider: Outsider, topic: str, count: int, full: bool) -> int:
    """Messages of a topic as YAML, ``count`` of them (0: until Ctrl-C)."""
    waiting: deque[Any] = deque(maxlen=100)
    outsider.subscribe(topic, lambda message: waiting.append(message))
    writers, shown, heard_s = Writers(outsider, topic), 0, time.monotonic()
    while not count or shown < count:
        outsider.spin()
        while waiting and (not count or shown < count):
            print(text_of(waiting.popleft(), full), end='---\n', flush=True)
            shown, heard_s = shown + 1, time.monotonic()
        writers.look(time.monotonic())
        if not shown and time.monotonic() - heard_s > outsider.patience_s:
            raise NoAnswer(
                f'{outsider.full(topic)} has a publisher, which said nothing in '
                f'{outsider.patience_s:g} s; alpamayo status tells what the graph waits for'
            )
    return 0


def text_of(message: Any, full: bool) -> str:
    """A message as YAML; without ``full`` long arrays are cut, with how much there is."""
    plain = _plain(message, None if full else SHORT)
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=96)


def _plain(value: Any, longest: int | None) -> Any:
    if hasattr(value, 'get_fields_and_field_types'):
        names = value.get_fields_and_field_types()
        return {name: _plain(getattr(value, name), longest) for name in names}
    if isinstance(value, (bytes, bytearray)):
        value = list(value)
    if isinstance(value, np.ndarray) or hasattr(value, 'typecode'):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        kept = [_plain(item, longest) for item in value[:longest]]
        left = len(value) - len(kept)
        return [*kept, f'... {left} more (--full shows all)'] if left else kept
    return value


class Rate:
    """Arrival times of the last ``seconds``, and the bytes that came with them."""

    def __init__(self, window_s: float) -> None:
        self.window_s = window_s
        self._came: deque[tuple[float, int]] = deque()

    def add(self, now_s: float, size: int) -> None:
        """A message of ``size`` bytes."""
        self._came.append((now_s, size))

    def line(self, now_s: float) -> str:
        """Mean rate, spread of the intervals and traffic in the window."""
        while self._came and self._came[0][0] < now_s - self.window_s:
            self._came.popleft()
        if len(self._came) < 2:
            return f'{counted(len(self._came), "message")} in {self.window_s:g} s'
        gaps = np.array([b - a for (a, _), (b, _) in pairwise(self._came)])
        length_s = self._came[-1][0] - self._came[0][0]
        size = sum(size for _, size in self._came) - self._came[0][1]
        return (
            f'{len(gaps) / length_s:7.2f} Hz   interval {gaps.min() * 1e3:.1f} to '
            f'{gaps.max() * 1e3:.1f} ms, deviation {gaps.std() * 1e3:.1f} ms   '
            f'{size / length_s / 1e6:.3f} MB/s   ({len(self._came)} messages)'
        )


def hz(outsider: Outsider, topic: str, seconds: float, window_s: float) -> int:
    """A line a second for ``seconds`` (0: until Ctrl-C); 1 when nothing came at all."""
    rate, total = Rate(window_s), [0]

    def heard(data: bytes) -> None:
        total[0] += 1
        rate.add(time.monotonic(), len(data))

    outsider.subscribe(topic, heard, raw=True)
    writers, begun_s = Writers(outsider, topic), time.monotonic()
    due_s = begun_s + 1.0
    while not seconds or time.monotonic() < begun_s + seconds:
        outsider.spin(max(0.0, min(0.1, due_s - time.monotonic())))
        writers.look(time.monotonic())
        if time.monotonic() >= due_s:
            print(rate.line(time.monotonic()), flush=True)
            due_s += 1.0
    return 0 if total[0] else 1
