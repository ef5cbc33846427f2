"""Whether the process behind an endpoint still runs, long before the middleware can tell.

Fast DDS lists the endpoints of a killed process for 20 s more.  One that ran on this machine when
it was first seen, and runs no more, has ended; of others the middleware's word is taken.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

FAST_DDS = (
    b'\x01\x0f'  # vendor id at the start of its endpoint ids; bytes 4 and 5 hold the process
)


class Processes:
    """``lives`` by one look at the processes of this machine for each ``begin``."""

    def __init__(self) -> None:
        self._running: set[int] | None = None
        self._before: dict[bytes, bool] = {}
        self._seen: dict[bytes, bool] = {}

    def begin(self) -> None:
        """Look again, at the first question; endpoints not asked for since are forgotten."""
        self._running, self._before, self._seen = None, self._seen, {}

    def lives(self, endpoint: Any) -> bool:
        """False for an endpoint whose process was seen to run here and has ended."""
        gid = bytes(endpoint.endpoint_gid)
        if gid[:2] != FAST_DDS:
            return True
        if self._running is None:
            entries = (p.name for p in Path('/proc').iterdir())
            self._running = {int(name) & 0xFFFF for name in entries if name.isdigit()}
        runs = int.from_bytes(gid[4:6], 'little') in self._running
        self._seen[gid] = self._before.get(gid, runs)
        return runs or not self._seen[gid]
