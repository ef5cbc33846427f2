"""One spawned model process with its socket and memory; ``worker.py`` decides when it lives."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.process.channel import SharedArrays, layout, send
from alpamayo_ros.runtime.scripted import Script

THREADS = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What the child runs, and how long it may take; times in seconds of the monotonic clock.

    A cycle longer than ``period_s`` is reported, longer than ``overrun_s`` dropped, longer than
    ``deadline_s`` ends in SIGKILL (FAULTS.md section 1: 1, 2 and 3 periods).  ``startup_s``
    bounds loading and warm-up.
    """

    profile: ModelProfile
    kind: str = 'onnx'
    folder: Path | None = None
    script: Script | None = None
    minimum_release: int = 0
    period_s: float = 0.1
    overrun_s: float = 0.2
    deadline_s: float = 0.3
    startup_s: float = 60.0
    respawns: int = 3
    respawn_window_s: float = 300.0

    @staticmethod
    def lockstep(profile: ModelProfile, **rest: Any) -> WorkerSpec:
        """Simulated time: no wall-clock deadline but a guard of 30 s against a hang."""
        return WorkerSpec(profile, period_s=30.0, overrun_s=30.0, deadline_s=30.0, **rest)

    def hello(self) -> dict[str, Any]:
        """First message to the child."""
        return {
            'kind': self.kind,
            'profile': self.profile.model_dump(),
            'folder': None if self.folder is None else str(self.folder),
            'script': None if self.script is None else asdict(self.script),
            'minimum_release': self.minimum_release,
        }


@dataclass(slots=True)
class Child:
    """A running model process; ``bury`` ends it for certain."""

    process: subprocess.Popen[bytes]
    sock: socket.socket
    arrays: SharedArrays = field(repr=False)

    @classmethod
    def spawn(cls, spec: WorkerSpec) -> Child:
        """Start a fresh interpreter (never a fork of this one) and greet it."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        arrays = SharedArrays(layout(spec.profile))
        command = [sys.executable, '-m', 'alpamayo_ros.model_process']
        command += [str(theirs.fileno()), str(arrays.fd), str(os.getpid())]
        path = os.pathsep.join(p for p in sys.path if p)
        with theirs:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr.fileno() if _has_fd(sys.stderr) else subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), arrays.fd),
                env={**os.environ, **dict.fromkeys(THREADS, '1'), 'PYTHONPATH': path},
            )
        child = cls(process, ours, arrays)
        send(ours, spec.hello())
        return child

    def bury(self) -> int:
        """Kill, reap and free; the exit status (negative: the signal)."""
        self.sock.close()
        self.process.kill()
        status = self.process.wait()
        self.arrays.close()
        return status


def _has_fd(stream: Any) -> bool:
    try:
        return isinstance(stream.fileno(), int)
    except (AttributeError, OSError, ValueError):
        return False
