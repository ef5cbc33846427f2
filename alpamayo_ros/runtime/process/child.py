"""One spawned model process with its socket and memory; ``worker.py`` decides when it lives."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from alpamayo_ros.limits import Limits
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.process.channel import layout
from alpamayo_ros.runtime.process.wire import SharedArrays, send
from alpamayo_ros.runtime.scripted import Script

THREADS = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSpec:
    """What the child runs, and how long it may take; times in seconds of the monotonic clock.

    The limits say how many periods a cycle may take before it is reported, dropped and killed.
    ``slack``: the last two count so many times longer, where a simulator shares the processor.
    ``guard_s`` replaces all three in lockstep, where no wall-clock time is right but a hang is
    wrong.  ``startup_s`` bounds loading and warm-up.
    """

    profile: ModelProfile
    limits: Limits
    period_s: float
    startup_s: float
    kind: str
    folder: Path | None = None
    script: Script | None = None
    minimum_release: int = 0
    trusted_keys: Path | None = None
    words_every_s: float = 0.0
    words_concurrent: bool = False
    slack: float = 1.0
    guard_s: float | None = None

    @property
    def warn_s(self) -> float:
        """A longer cycle is reported."""
        return self.guard_s or self.limits.cycle_warn_periods * self.period_s

    @property
    def overrun_s(self) -> float:
        """A longer cycle is dropped."""
        return self.guard_s or self.limits.cycle_drop_periods * self.period_s * self.slack

    @property
    def deadline_s(self) -> float:
        """A longer cycle ends in SIGKILL."""
        return self.guard_s or self.limits.cycle_kill_periods * self.period_s * self.slack

    def hello(self) -> dict[str, Any]:
        """First message to the child."""
        return {
            'kind': self.kind,
            'profile': self.profile.model_dump(),
            'folder': None if self.folder is None else str(self.folder),
            'script': None if self.script is None else asdict(self.script),
            'minimum_release': self.minimum_release,
            'trusted_keys': None if self.trusted_keys is None else str(self.trusted_keys),
            'words_every_s': self.words_every_s,
            'words_concurrent': self.words_concurrent,
            'lockstep': self.guard_s is not None,
            'files': self.limits.model_files,
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
