"""What passes between planner and model process: arrays in shared memory, texts in JSON.

The texts are small, one datagram each.  The memory is an anonymous ``memfd`` that both processes
map: it has no name, so nothing can be left behind in /dev/shm, however a process ends.  Requests
and replies use the same memory, one at a time.
"""

from __future__ import annotations

import json
import mmap
import os
import socket
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.types import Conditioning, EgoHistory, FrameStack, PlannerInput

MAX_DATAGRAM = 1 << 16
EGO_FIELDS = ('poses', 'speed_mps', 'acceleration_mps2', 'yaw_rate_rps', 'steering_rad', 'valid')
TEXT_FIELDS = ('navigation', 'prompt', 'previous_text')

Layout = dict[str, tuple[tuple[int, ...], str]]


def layout(profile: ModelProfile) -> Layout:
    """Name, shape and dtype of every shared array of a profile."""
    t, v, (height, width) = profile.frames.count, len(profile.views), profile.view_size
    h, k, p = profile.ego_history.count, profile.candidates, profile.trajectory.points
    return {
        'images': ((t, v, height, width, 3), 'u1'),
        'age_s': ((t, v), 'f8'),
        'frames_valid': ((t, v), '?'),
        'poses': ((h, 3), 'f8'),
        'speed_mps': ((h,), 'f8'),
        'acceleration_mps2': ((h,), 'f8'),
        'yaw_rate_rps': ((h,), 'f8'),
        'steering_rad': ((h,), 'f8'),
        'valid': ((h,), '?'),
        'candidates': ((k, p, 3), 'f4'),
    }


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
        data = np.ascontiguousarray(values, np.dtype(dtype)).tobytes()
        self._memory[self._offsets[name] : self._offsets[name] + len(data)] = data

    def read(self, name: str) -> NDArray[Any]:
        """A private copy of the array ``name``."""
        shape, dtype = self._shapes[name]
        count = int(np.prod(shape))
        flat = np.frombuffer(self._memory, np.dtype(dtype), count, self._offsets[name])
        copy: NDArray[Any] = flat.reshape(shape).copy()
        return copy

    def close(self) -> None:
        """Unmap; the memory is gone when both processes have."""
        self._memory.close()
        os.close(self.fd)


def put_input(arrays: SharedArrays, inputs: PlannerInput) -> dict[str, Any]:
    """Write the arrays of ``inputs``; the rest is returned for the datagram."""
    arrays.write('images', inputs.frames.images)
    arrays.write('age_s', inputs.frames.age_s)
    arrays.write('frames_valid', inputs.frames.valid)
    for name in EGO_FIELDS:
        arrays.write(name, getattr(inputs.given.ego, name))
    return {
        't0_ns': inputs.t0_ns,
        'frames_t0_ns': inputs.frames.t0_ns,
        'ego_t0_ns': inputs.given.ego.t0_ns,
        'extrapolated_ns': inputs.given.ego.extrapolated_ns,
        **{name: getattr(inputs.given, name) for name in TEXT_FIELDS},
        'previous_t0_ns': inputs.given.previous_t0_ns,
        'seed': inputs.seed,
    }


def get_input(arrays: SharedArrays, message: dict[str, Any]) -> PlannerInput:
    """The other side of ``put_input``."""
    frames = FrameStack(
        message['frames_t0_ns'],
        arrays.read('images'),
        arrays.read('age_s'),
        arrays.read('frames_valid'),
    )
    motion = {name: arrays.read(name) for name in EGO_FIELDS}
    ego = EgoHistory(message['ego_t0_ns'], **motion, extrapolated_ns=message['extrapolated_ns'])
    texts = {name: message[name] for name in TEXT_FIELDS}
    given = Conditioning(ego, **texts, previous_t0_ns=message['previous_t0_ns'])
    return PlannerInput(message['t0_ns'], frames, given, message['seed'])


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
