"""A recording that ends when its disk has no room left; whoever records goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from alpamayo_ros.bags.disk_room import DiskRoom
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.recording.events import Event
from alpamayo_ros.recording.recording import Writer


class Sink(Protocol):
    """What a recorder writes to, a folder or the viewer's page; ``fault``: of its disk."""

    @property
    def fault(self) -> Fault | None:
        """What is wrong with the disk."""

    def write(self, event: Event) -> None:
        """Take an event."""

    def image(self, wall_ns: int, camera: str, stamp_ns: int, data: bytes) -> None:
        """Take a compressed picture."""

    def flush(self) -> None:
        """Others want to see what was taken."""

    def close(self) -> None:
        """There is no more."""


class LimitedWriter:
    """``Writer`` until the disk is full; ``fault``: DISK_WARN, DISK_FULL or None."""

    def __init__(self, writer: Writer, room: DiskRoom) -> None:
        self._writer, self._room = writer, room
        self.fault: Fault | None = None
        self.flush()

    @property
    def ended(self) -> bool:
        """Whether nothing more is written."""
        return self.fault is not None and self.fault.code is Code.DISK_FULL

    def write(self, event: Event) -> None:
        """One event, unless the recording has ended."""
        self._try(lambda: self._writer.write(event))

    def image(self, wall_ns: int, camera: str, stamp_ns: int, data: bytes) -> None:
        """One compressed picture, unless the recording has ended."""
        self._try(lambda: self._writer.image(wall_ns, camera, stamp_ns, data))

    def flush(self) -> None:
        """Hand over what was written, and look at the disk."""
        self._try(self._writer.flush)
        if not self.ended:
            self.fault = self._room.check()

    def close(self) -> None:
        """End the recording; what was written before it ended is kept."""
        self._try(self._writer.close, even_ended=True)

    def _try(self, act: Callable[[], None], even_ended: bool = False) -> None:
        """Do it; a disk that takes no more ends the recording, not its caller."""
        if self.ended and not even_ended:
            return
        try:
            act()
        except OSError as error:
            self.fault = self._room.refused(error)
