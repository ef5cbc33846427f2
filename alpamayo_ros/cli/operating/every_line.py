"""What ``alpamayo up --verbose`` prints: every line of every node, under the node's name."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from typing import IO

from alpamayo_ros.graph_spec import Graph

COLOURS = (36, 32, 33, 35, 34, 96, 92, 93)


class EveryLine:
    """Prefixes the lines with the nodes' names, coloured on a terminal."""

    def __init__(self, out: IO[str] | None = None) -> None:
        """``out``: standard output unless given."""
        self.out = out or sys.stdout
        self._colours: dict[str, int] = {}
        self._lock = threading.Lock()

    def begin(self, graph: Graph, environment: Mapping[str, str]) -> None:
        """Nothing is said of a start."""

    def line(self, node: str, text: str) -> None:
        """One log line, prefixed with the node's name."""
        name = f'{node:>11}'
        with self._lock:
            if self.out.isatty():
                colour = self._colours.setdefault(node, COLOURS[len(self._colours) % len(COLOURS)])
                name = f'\033[{colour}m{name}\033[0m'
            print(f'{name} | {text}', file=self.out, flush=True)

    def ended(self, node: str, status: int, restarts: int) -> None:
        """The node's end, as a line of the node."""
        self.line(node, f'ended with status {status}; starting it again (number {restarts})')

    def tick(self) -> None:
        """Nothing is told twice."""

    def end(self) -> None:
        """The nodes' last lines come by themselves."""
