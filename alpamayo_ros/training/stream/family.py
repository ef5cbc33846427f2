"""When a child of a run ends: the run says stop, or is no longer there."""

from __future__ import annotations

import os
from pathlib import Path


class Family:
    """The parent as its child sees it; ``folder/stop`` is the parent's word."""

    def __init__(self, folder: Path) -> None:
        self._stop, self._parent = folder / 'stop', os.getppid()

    def goes_on(self) -> bool:
        """False from when the child has to end: nobody is left behind by a killed run."""
        return os.getppid() == self._parent and not self._stop.exists()
