"""Arrays in shared memory and texts in JSON between two processes; numpy and the standard library.

The texts are small, one datagram each.  The memory is an anonymous ``memfd`` that both processes
map: it has no name, so nothing can be left behind in /dev/shm, however a process ends.  Requests
and replies use the same memory, one at a time.  A vendor's interpreter, which has nothing of this
package's requirements, runs this file too.
"""

from __future__ import annotations

import json
import mmap
import os
import socket
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_DATAGRAM = 1 << 16

Layout = dict[str, tuple[tuple[int, ...], str]]


def _offsets(shapes: Layout) -> tuple[dict[str, int], int]:
    offsets, end = {}, 0
    for name, (shape, dtype) in shapes.items():
        offsets[name] = end
        end += -(-int(np.prod(shape)) * np.dtype(dtype).itemsize // 64) * 64
    return offsets, end


class SharedArrays:
    """Named arrays in anonymous shared memory; ``fd`` is what the other process inherits."""

    def __init__(self, shapes: Layout, fd: int | None = None) -> None:
        self._shapes = shapes
        self._offsets, size = _offsets(shapes)
        self.fd = os.memfd_create('alpamayo_ros', os.MFD_CLOEXEC) if fd is None else fd
        if fd is None:
            os.ftruncate(self.fd, size)
        self._memory = mmap.mmap(self.fd, size)

    def write(self, name: str, values: NDArray[Any]) -> None:
        """Copy ``values`` into the array ``name``; ValueError when the shape is another."""
        shape, dtype = self._shapes[name]
        if values.shape != shape:
            raise ValueError(f'{name}: expected shape {shape}, came {values.shape}')
        self._shared(name)[...] = values

    def read(self, name: str) -> NDArray[Any]:
        """A private copy of the array ``name``."""
        return self._shared(name).copy()

    def _shared(self, name: str) -> NDArray[Any]:
        """The memory itself; nobody may keep it, or it can not be unmapped."""
        shape, dtype = self._shapes[name]
        count = int(np.prod(shape))
        flat = np.frombuffer(self._memory, np.dtype(dtype), count, self._offsets[name])
        return flat.reshape(shape)

    def close(self) -> None:
        """Unmap; the memory is gone when both processes have."""
        self._memory.close()
        os.close(self.fd)


def send(sock: socket.socket, message: dict[str, Any]) -> None:
    """One JSON datagram; ValueError above 64 kB."""
    data = json.dumps(message).encode()
    if len(data) > MAX_DATAGRAM:
        raise ValueError(f'a message of {len(data)} bytes; at most {MAX_DATAGRAM}')
    sock.sendall(data)


def receive(sock: socket.socket) -> dict[str, Any] | None:
    """One JSON datagram; None when the other process is gone or what came is no message."""
    try:
        data = sock.recv(MAX_DATAGRAM)
        message = json.loads(data) if data else None
    except (ConnectionError, ValueError):
        return None
    return message if isinstance(message, dict) else None
