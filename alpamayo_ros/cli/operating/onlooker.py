"""A process beside the graph that reads how the driver is: ``alpamayo status --watch --json``."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

EVERY_S = 0.2
FOREVER_S = 1e9  # it ends with its supervisor


class Onlooker:
    """Calls ``heard`` with every status; a missing or ended one costs the graph nothing."""

    def __init__(self, environment: Mapping[str, str], heard: Callable[[dict[str, Any]], None]):
        """Start it in ``environment``."""
        question = {'verb': 'status', 'patience_s': FOREVER_S, 'watch': True}
        question |= {'as_json': True, 'every_s': EVERY_S}
        self._heard = heard
        self._popen = subprocess.Popen(
            [sys.executable, '-u', '-m', 'alpamayo_ros.nodes.operating', json.dumps(question)],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            if line.startswith('{'):
                self._heard(json.loads(line))

    @property
    def left(self) -> bool:
        """Whether it has ended by itself."""
        return self._popen.poll() is not None

    def end(self) -> None:
        """Tell it to leave, and wait for it a moment."""
        self._popen.terminate()
        try:
            self._popen.wait(2.0)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
