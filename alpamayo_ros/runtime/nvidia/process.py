"""The vendor's process from outside: start it, ask it, notice that it is gone."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.runtime.base import ModelGone
from alpamayo_ros.runtime.nvidia.child import launch
from alpamayo_ros.runtime.nvidia.child.offline import OFFLINE
from alpamayo_ros.runtime.nvidia.child.settings import Settings, layout
from alpamayo_ros.runtime.process.wire import SharedArrays, receive, send

OURS = ('PYTHONPATH', 'PYTHONHOME', 'LD_LIBRARY_PATH', 'VIRTUAL_ENV')  # of our interpreter


class VendorProcess:
    """A process under the user's interpreter that holds the loaded model."""

    def __init__(
        self, process: subprocess.Popen[bytes], sock: socket.socket, arrays: SharedArrays
    ) -> None:
        self._process, self._sock = process, sock
        self.arrays = arrays
        self.version = ''

    @classmethod
    def start(cls, interpreter: str, settings: Settings, limit_s: float) -> VendorProcess | Fault:
        """Load the model within ``limit_s``; a fault says why it did not.

        MODEL_PROVIDER: it says what it lacks.  MODEL_ABSENT, MODEL_KILLED: it ended while it
        loaded, or had to be ended; another try may succeed.
        """
        arrays = SharedArrays(layout(settings))
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                process = _spawn(interpreter, theirs.fileno(), arrays.fd)
            except OSError as error:
                ours.close()
                arrays.close()
                text = f'{interpreter} cannot be run: {error.strerror}; expected the Python of '
                text += "the environment in which NVIDIA's package is installed"
                return Fault(Code.MODEL_PROVIDER, text)
        made = cls(process, ours, arrays)
        fault = made._loaded(settings, limit_s)
        if fault is not None:
            made.close()
            return fault
        return made

    def _loaded(self, settings: Settings, limit_s: float) -> Fault | None:
        """Greet it and wait for its version."""
        try:
            send(self._sock, asdict(settings))
            answer = self._answer(limit_s)
        except ModelGone as gone:
            return Fault(Code.MODEL_ABSENT, str(gone))
        except ConnectionError:
            return Fault(Code.MODEL_ABSENT, self._end())
        except TimeoutError:
            numbers = {'limit_ms': limit_s * 1e3}
            return Fault(Code.MODEL_KILLED, 'the checkpoint did not load in time', numbers)
        if 'error' in answer:
            text = f'the checkpoint was not loaded by {settings.engine}: {answer["error"]}'
            return Fault(Code.MODEL_PROVIDER, text)
        self.version = f'{answer["version"]}, Python {answer["python"]}'
        return None

    def ask(self, call: str, limit_s: float, **values: Any) -> dict[str, Any]:
        """The answer to one call.

        ModelGone where the process ended or did not answer in ``limit_s``; RuntimeError with what
        the vendor's code raised.
        """
        try:
            send(self._sock, {'call': call, **values})
            answer = self._answer(limit_s)
        except ConnectionError:
            raise ModelGone(self._end()) from None
        except TimeoutError:
            raise ModelGone(f'the vendor process did not answer {call} in {limit_s:g} s') from None
        if 'error' in answer:
            raise RuntimeError(answer['error'])
        return answer

    def _answer(self, limit_s: float) -> dict[str, Any]:
        ready, _, _ = select.select([self._sock], [], [], limit_s)
        if not ready:
            raise TimeoutError
        answer = receive(self._sock)
        if answer is None:
            raise ModelGone(self._end())
        return answer

    def _end(self) -> str:
        """How it ended; its own output is in the log above."""
        try:
            status = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return 'the vendor process closed its socket'
        return f'the vendor process ended with status {status}'

    def close(self) -> None:
        """Kill, reap and free."""
        self._sock.close()
        self._process.kill()
        self._process.wait()
        self.arrays.close()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid


def _spawn(interpreter: str, sock_fd: int, memory_fd: int) -> subprocess.Popen[bytes]:
    """``-I``: nothing of our environment or folder comes before the vendor's packages."""
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    script = str(Path(launch.__file__).resolve())
    command = [interpreter, '-I', '-B', script, str(sock_fd), str(memory_fd), str(os.getpid())]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.__stderr__ if sys.__stderr__ is not None else subprocess.DEVNULL,
        pass_fds=(sock_fd, memory_fd),
        env={**kept, **OFFLINE},
    )
