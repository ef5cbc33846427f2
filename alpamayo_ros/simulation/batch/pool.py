"""Drives over several workers: longest first, a lost worker replaced, Ctrl-C at any time.

A worker is anything that answers a job with a row: a process of this machine
(``local_worker``) or an actor of a cluster (``cluster``).  Rows depend on the job
alone, so neither the number of workers nor the order in which they finish shows in them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import Queue
from typing import Any, Protocol

from alpamayo_ros.simulation.batch.journal import Job

Done = Callable[[Job, dict[str, Any]], None]
Tell = Callable[[str], None]
TOWN_COST = 1.2  # a step in a town costs this many on a road (measured with nano: 51 and 42 ms)
SHOWN = 3  # failed drives that a message names
TRIES = 2  # a worker that dies in a drive gets a successor once


class BatchError(RuntimeError):
    """A worker could not be started, or drives failed; the text says why."""


class WorkerLost(BatchError):
    """A worker ended in a drive: the drive may be tried again on another."""


Answer = tuple[Job | None, dict[str, Any] | BatchError | str]  # a text: it is driven once more


class Worker(Protocol):
    """Drives one job at a time; ``identity`` is what it said about its planner and code."""

    identity: dict[str, Any]

    def drive(self, job: Job) -> dict[str, Any]:
        """The row of one drive; BatchError with the reason when it failed."""
        ...

    def close(self) -> None:
        """Let it end; a drive in progress is given up."""
        ...


def cost(job: Job) -> float:
    """How long a drive may take, in seconds of the simplest map."""
    return job.scenario.duration_s * (1.0 if job.scenario.map == 'winding_road' else TOWN_COST)


class Pool:
    """``workers`` threads, each with a worker of its own from ``connect``; use it in a ``with``.

    The first worker is connected at once, because its identity is asked for before any drive.
    """

    def __init__(self, connect: Callable[[], Worker], workers: int) -> None:
        self._connect, self._workers = connect, workers
        self._first: Worker | None = connect()
        self.identity = self._first.identity
        self._open: set[Worker] = {self._first}
        self._lock, self._stop = threading.Lock(), threading.Event()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with self._lock:
            workers = list(self._open)
        for worker in workers:
            worker.close()

    def drive(self, jobs: Sequence[Job], done: Done, tell: Tell = lambda text: None) -> None:
        """Every job once; ``done`` is called in this thread as they finish.

        ``tell``: likewise, with a sentence for every job that is driven once more.
        A drive that fails does not stop the others; BatchError names the failed ones at the end.
        """
        waiting = deque(sorted(jobs, key=cost, reverse=True))
        answers: Queue[Answer] = Queue()
        count = max(1, min(self._workers, len(waiting)))
        for _ in range(count):
            threading.Thread(target=self._work, args=(waiting, answers), daemon=True).start()
        failed, left = [], len(jobs)
        while left:
            job, answer = answers.get()
            if isinstance(answer, str):
                tell(answer)
                continue
            left -= 1
            if job is None:
                raise answer if isinstance(answer, BatchError) else AssertionError
            if isinstance(answer, BatchError):
                failed.append(f'{job.scenario.name}, seed {job.seed}: {answer}')
            else:
                done(job, answer)
        if failed:
            more = f'\n  and {len(failed) - SHOWN} more' if len(failed) > SHOWN else ''
            named = '\n  '.join(failed[:SHOWN])
            which = f'{len(failed)} of {len(jobs)} drives' if len(jobs) > 1 else 'the drive'
            raise BatchError(f'{which} failed:\n  {named}{more}')

    def _work(self, waiting: deque[Job], answers: Queue[Any]) -> None:
        worker: Worker | None = None
        while not self._stop.is_set():
            try:
                job = waiting.popleft()
            except IndexError:
                return
            for attempt in range(TRIES):
                try:
                    worker = worker or self._take()
                except (BatchError, OSError) as error:
                    answers.put((None, BatchError(str(error))))
                    return
                try:
                    answers.put((job, worker.drive(job)))
                    break
                except WorkerLost as error:
                    self._give_up(worker)
                    worker = None
                    if self._stop.is_set() or attempt == TRIES - 1:
                        answers.put((job, error))
                    else:
                        said = f'{job.scenario.name}, seed {job.seed}: {error}; driven once more'
                        answers.put((job, said))
                except BatchError as error:
                    answers.put((job, error))
                    break

    def _take(self) -> Worker:
        """The first worker once, then new ones, which must be what the first one is."""
        with self._lock:
            worker, self._first = self._first, None
        if worker is not None:
            return worker
        worker = self._connect()
        if worker.identity != self.identity:
            worker.close()
            raise BatchError(
                f'a worker is another one than the first: {worker.identity} against '
                f'{self.identity}; install the same package and model everywhere'
            )
        with self._lock:
            self._open.add(worker)
        if self._stop.is_set():  # the others have been closed already
            worker.close()
            raise BatchError('stopped')
        return worker

    def _give_up(self, worker: Worker) -> None:
        with self._lock:
            self._open.discard(worker)
        worker.close()
