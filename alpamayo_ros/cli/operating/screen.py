"""Lines that stay, above one line that changes where there is a terminal."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from typing import IO

from alpamayo_ros.faults import Severity

CLEAR = '\r\033[K'
STYLES = {Severity.WARN: '\033[33m', Severity.ERROR: '\033[1;31m', Severity.FATAL: '\033[1;31m'}
PLAIN = '\033[0m'


class Screen:
    """Prints; without a terminal no escape code leaves, and no line that changes."""

    def __init__(self, out: IO[str] | None = None) -> None:
        """``out``: standard output unless given."""
        self._out = out or sys.stdout
        self._terminal = self._out.isatty() and os.environ.get('TERM') != 'dumb'
        self._coloured = self._terminal and not os.environ.get('NO_COLOR')
        self._line = ''
        self._lock = threading.Lock()

    def print(self, head: str, text: str, severity: Severity = Severity.INFO) -> None:
        """A line that stays; its head is coloured by how bad it is."""
        style = STYLES.get(severity, '') if self._coloured else ''
        self.plain(f'{style}{head}{PLAIN if style else ""}{text}'.rstrip())

    def plain(self, text: str) -> None:
        """A line that stays, as it is."""
        with self._lock:
            before, after = (CLEAR, self._line) if self._terminal else ('', '')
            print(f'{before}{text}\n{after}', end='', file=self._out, flush=True)

    def show(self, text: str) -> None:
        """The line that changes, cut to the terminal's width."""
        if not self._terminal:
            return
        with self._lock:
            self._line = text[: shutil.get_terminal_size().columns - 1]
            print(f'{CLEAR}{self._line}', end='', file=self._out, flush=True)

    def clear(self) -> None:
        """No line that changes any more."""
        self.show('')
