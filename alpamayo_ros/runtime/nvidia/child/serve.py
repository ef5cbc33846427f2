"""The vendor's process from inside: load once, then answer until the parent hangs up."""

from __future__ import annotations

import importlib
import socket
import sys
import traceback
from typing import Any, Protocol

import numpy as np

from alpamayo_ros.runtime.nvidia.child.offline import go_offline
from alpamayo_ros.runtime.nvidia.child.settings import Settings, layout
from alpamayo_ros.runtime.process.wire import SharedArrays, receive, send

MAX_ERROR = 2000


class Engine(Protocol):
    """A loaded model: features and conditions stay inside, the newest of each is held."""

    settings: Settings

    @property
    def version(self) -> str:
        """What it is and what it runs on."""
        ...

    def encode(self, images: np.ndarray) -> int:
        """Hold the features of pictures (T newest first, V, H, W, 3); how many were new."""
        ...

    def reason(
        self, poses: np.ndarray, speed_mps: float, instruction: str, seed: int
    ) -> dict[str, Any]:
        """Hold the condition of the pictures held; ``text``, ``token_ids``, ``truncated``."""
        ...

    def denoise(self, noise: np.ndarray) -> np.ndarray:
        """Candidates (K, P, 3) from noise (K, P, 3), with the condition held."""
        ...

    def reset(self) -> None:
        """Forget pictures and condition."""
        ...

    def time(self, rounds: int) -> dict[str, float]:
        """Median [ms] of a cycle on made-up input, and of the vendor's own call if it has one."""
        ...


def serve(sock_fd: int, memory_fd: int) -> int:
    """Go offline, load, report, answer; the exit status."""
    go_offline()
    sock = socket.socket(fileno=sock_fd)
    hello = receive(sock)
    if hello is None:
        return 1
    try:
        settings = Settings(**hello)
        arrays = SharedArrays(layout(settings), memory_fd)
        engine = _load(settings)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  (the vendor's code raises what it likes)
        traceback.print_exc()
        send(sock, {'error': _said(error)})
        return 2
    send(sock, {'version': engine.version, 'python': sys.version.split()[0]})
    while (message := receive(sock)) is not None:
        try:
            answer = _answer(engine, arrays, message)
        except Exception as error:  # noqa: BLE001  (a failed cycle must not lose the loaded model)
            traceback.print_exc()
            answer = {'error': _said(error)}
        send(sock, answer)
    return 0


def _said(error: Exception) -> str:
    return f'{type(error).__name__}: {error}'[:MAX_ERROR]


def _load(settings: Settings) -> Engine:
    """What ``settings.engine`` names; the vendor's folders come first on ``sys.path``."""
    sys.path[:0] = settings.source
    module, _, name = settings.engine.partition(':')
    engine: Engine = getattr(importlib.import_module(module), name)(settings)
    return engine


def _answer(engine: Engine, arrays: SharedArrays, message: dict[str, Any]) -> dict[str, Any]:
    call = message['call']
    if call == 'encode':
        return {'new': engine.encode(arrays.read('images'))}
    if call == 'reason':
        given = (message['speed_mps'], message['instruction'], message['seed'])
        return engine.reason(arrays.read('poses'), *given)
    if call == 'denoise':
        arrays.write('candidates', engine.denoise(arrays.read('noise')))
        return {}
    if call == 'reset':
        engine.reset()
        return {}
    if call == 'time':
        return engine.time(message['rounds'])
    raise ValueError(f'the parent asks for encode, reason, denoise, reset or time, not {call!r}')
