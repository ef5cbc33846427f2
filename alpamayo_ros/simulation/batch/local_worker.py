"""A worker that is a process of this machine, one thread each.

``simulation.batch.drive_process``, or another program that calls its ``answer``, is at the other
end of two pipes: a line of JSON a job and a line a row.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.batch.pool import BatchError, WorkerLost
from alpamayo_ros.simulation.batch.task import Task

THREADS = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'LP_NUM_THREADS')
DRIVES = ('-m', 'alpamayo_ros.simulation.batch.drive_process')
END_S = 10.0


class Process:
    """A child process that drives; see ``pool.Worker``.

    ``program``: what the interpreter runs; it is handed the task as its last argument.

    The thread that drives and the one that ends a batch may both close it: a lock keeps one
    out of the pipes while the other is in them.
    """

    def __init__(self, task: Task, program: Sequence[str] = DRIVES) -> None:
        env = {**os.environ, **dict.fromkeys(THREADS, '1')}
        self.process = subprocess.Popen(
            [sys.executable, *program, task.to_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=env,
            start_new_session=True,  # Ctrl-C is the parent's business: it closes or kills
        )
        self._idle, self._pipes = True, threading.Lock()
        try:
            self.identity = self._read()
        except BaseException:
            self.close()
            raise

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.endswith('\n'):
            status = self.process.wait()
            raise WorkerLost(f'a worker ended with status {status}; its last words stand above')
        answer: dict[str, Any] = json.loads(line)
        if 'error' in answer:
            raise BatchError(answer['error'])
        return answer

    def drive(self, job: Job) -> dict[str, Any]:
        """The row of one drive."""
        assert self.process.stdin is not None
        self._idle = False
        try:
            with self._pipes:
                self.process.stdin.write(job.to_json() + '\n')
                self.process.stdin.flush()
            row = self._read()
        except (OSError, ValueError) as error:  # the pipe is closed, or what came is no JSON
            raise WorkerLost(f'a worker is lost: {error}') from error
        finally:
            self._idle = True
        return row

    def close(self) -> None:
        """It ends when its input closes; in a drive it is killed."""
        if not self._idle:
            self.process.kill()
        with self._pipes:
            self._close_pipes()

    def _close_pipes(self) -> None:
        if self.process.stdin is not None and not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except OSError:
                pass  # it is gone already
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self._idle and self.process.stdout is not None:
            self.process.stdout.close()
