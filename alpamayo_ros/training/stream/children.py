"""The processes of a run: simulators and the policy server; those that fall are started again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from alpamayo_ros.training.stream.settings import Settings

THREADS = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'LP_NUM_THREADS')
MOST_FALLS = 5  # of one process, before the run gives up
MODULE = 'alpamayo_ros.training.stream'


class ChildError(RuntimeError):
    """A process falls again and again; the text names its log."""


class Children:
    """Simulator processes ``first`` to ``first + workers`` of ``count``, and a policy server."""

    def __init__(
        self, folder: Path, published: Path, settings: Settings, first: int, count: int
    ) -> None:
        self._folder = folder
        (folder / 'stop').unlink(missing_ok=True)
        indices = range(first, first + settings.workers)
        self._commands = {
            f'drive_{k}': [f'{MODULE}.drive_process', str(folder), str(k), str(count)]
            for k in indices
        }
        self._commands['policy'] = [f'{MODULE}.policy_server', str(folder), str(published)]
        self._falls = dict.fromkeys(self._commands, 0)
        self._running = {name: self._start(name) for name in self._commands}

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        env = {**os.environ, **dict.fromkeys(THREADS, '1'), 'PYTHONUNBUFFERED': '1'}
        with (self._folder / f'{name}.log').open('ab') as log:
            command = [sys.executable, '-m', *self._commands[name]]
            return subprocess.Popen(
                command, stdout=log, stderr=log, env=env, start_new_session=True
            )

    def check(self) -> None:
        """Start those again that fell; ChildError where one falls too often."""
        for name, process in self._running.items():
            if process.poll() is None:
                continue
            self._falls[name] += 1
            if self._falls[name] > MOST_FALLS:
                log = self._folder / f'{name}.log'
                raise ChildError(f'{name} fell {MOST_FALLS + 1} times; its last words: {log}')
            self._running[name] = self._start(name)

    @property
    def falls(self) -> int:
        """How often a process had to be started again."""
        return sum(self._falls.values())

    def ask_to_stop(self) -> None:
        """Let every process end after its drive or answer."""
        (self._folder / 'stop').touch()

    def end(self, patience_s: float) -> None:
        """Wait so long for them to end, then make them."""
        self.ask_to_stop()
        until = time.monotonic() + patience_s
        for process in self._running.values():
            try:
                process.wait(max(until - time.monotonic(), 0.0))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
