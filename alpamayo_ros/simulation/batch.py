"""Many drives in several processes, one thread each; rows do not depend on how many there are.

Workers get seeds over a pipe and answer with one line of JSON a drive.  Finished rows are kept in
a journal, so that an interrupted batch goes on where it stopped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from alpamayo_ros import __version__
from alpamayo_ros.simulation.scenario import load_scenario

THREADS = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'LP_NUM_THREADS')
WORKER = 'alpamayo_ros.simulation.worker'


@dataclass(frozen=True, slots=True)
class Task:
    """What every drive of a batch has in common; all of it decides the rows.

    ``model``: folder, '' for the shipped one.  ``scenario``: name or path of a .yaml.
    """

    scenario: str
    planner: str = 'onnx'
    profile: str = 'nano'
    model: str = ''
    objects: str = 'none'
    latency_steps: int = 0
    ablate: str = ''
    prompt: str = ''

    def to_json(self) -> str:
        """One line, keys in order."""
        return json.dumps(asdict(self), sort_keys=True)


class BatchError(RuntimeError):
    """A worker could not be started or failed in a drive; the text says why."""


class _Worker:
    """A child process that drives; ``identity`` is what it said about its planner."""

    def __init__(self, task: Task) -> None:
        env = {**os.environ, **dict.fromkeys(THREADS, '1')}
        self.process = subprocess.Popen(
            [sys.executable, '-m', WORKER, task.to_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=env,
        )
        self.identity = self._read()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise BatchError(f'a worker ended with status {self.process.wait()}; see above')
        answer: dict[str, Any] = json.loads(line)
        if 'error' in answer:
            raise BatchError(answer['error'])
        return answer

    def drive(self, seed: int) -> dict[str, Any]:
        """The row of one seed."""
        assert self.process.stdin is not None
        self.process.stdin.write(f'{seed}\n')
        self.process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """Let it end: it does when its input closes."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Journal:
    """Finished rows of one task, a line each; ``path`` None keeps nothing.

    The first line names task, scenario, model and version: with others it is started anew.
    """

    def __init__(self, path: Path | None, task: Task, identity: dict[str, Any]) -> None:
        self.path, head = path, _head(task, identity)
        self.rows: dict[int, dict[str, Any]] = {}
        if path is None:
            return
        lines = path.read_text().splitlines() if path.is_file() else []
        if lines and lines[0] == head:
            self.rows = {r['seed']: r for r in map(_row, lines[1:]) if r}
        kept = [json.dumps(row) for row in self.rows.values()]
        path.write_text('\n'.join([head, *kept]) + '\n')

    def add(self, row: dict[str, Any]) -> None:
        """Keep one row."""
        self.rows[row['seed']] = row
        if self.path is not None:
            with self.path.open('a') as file:
                file.write(json.dumps(row) + '\n')

    def finish(self) -> None:
        """Remove the file: the rows stand elsewhere now."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def _head(task: Task, identity: dict[str, Any]) -> str:
    """All that rows depend on, in one line."""
    scenario = load_scenario(task.scenario).model_dump()
    parts = {'task': asdict(task), 'scenario': scenario, 'planner': identity}
    return json.dumps({**parts, 'version': __version__}, sort_keys=True)


def _row(line: str) -> dict[str, Any]:
    """A row of the journal; {} where the line was cut off."""
    try:
        row: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return row


def run(
    task: Task,
    seeds: Sequence[int],
    workers: int = 1,
    journal: Path | None = None,
    done: Callable[[dict[str, Any]], None] = lambda row: None,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows in the order of ``seeds``, and what the workers said about their planner.

    ``done`` is called once for every row, also for those found in the journal.  BatchError when a
    worker fails.
    """
    first = _Worker(task)
    try:
        kept = Journal(journal, task, first.identity)
        for row in [kept.rows[s] for s in seeds if s in kept.rows]:
            done(row)
        _drive_all(task, first, [s for s in seeds if s not in kept.rows], workers, kept, done)
    finally:
        first.close()
    return [kept.rows[s] for s in seeds], first.identity


def _drive_all(
    task: Task,
    first: _Worker,
    seeds: Sequence[int],
    workers: int,
    journal: Journal,
    done: Callable[[dict[str, Any]], None],
) -> None:
    """Hand out the seeds; the first error stops the handing out and is raised at the end."""
    queue: Queue[int] = Queue()
    for seed in seeds:
        queue.put(seed)
    lock, errors = threading.Lock(), list[Exception]()

    def work(worker: _Worker | None) -> None:
        mine = None
        try:
            mine = worker or _Worker(task)
            while not errors:
                row = mine.drive(queue.get_nowait())
                with lock:
                    journal.add(row)
                    done(row)
        except Empty:
            pass
        except (BatchError, OSError, json.JSONDecodeError) as error:
            errors.append(error)
        finally:
            if mine is not None and worker is None:
                mine.close()

    others = min(workers, len(seeds)) - 1
    threads = [threading.Thread(target=work, args=(None,), daemon=True) for _ in range(others)]
    for thread in threads:
        thread.start()
    work(first)
    for thread in threads:
        thread.join()
    if errors:
        raise BatchError(str(errors[0]))
