"""The processes of a graph: started, started again when they die, ended together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from alpamayo_ros.environment import PARENT, STATUS_FILE, defaults
from alpamayo_ros.graph_spec import RESPAWN_DELAY_S, Graph, NodeSpec, parameter_text, ros_arguments
from alpamayo_ros.statuses import Status

STOP_GRACE_S = 5.0  # a node ends within 0.3 s of SIGTERM; the planner waits for its child
POLL_S = 0.05


class Console(Protocol):
    """Who tells a person what the processes say and do."""

    def begin(self, graph: Graph, environment: Mapping[str, str]) -> None:
        """The processes have been started, in this environment."""

    def line(self, node: str, text: str) -> None:
        """A node has printed a line."""

    def ended(self, node: str, status: int, restarts: int) -> None:
        """A node has ended by itself and is started again."""

    def tick(self) -> None:
        """Some time has passed."""

    def end(self) -> None:
        """The graph is about to be stopped."""


REFUSED = (Status.USAGE, Status.DAMAGED)


@dataclass
class Process:
    """One running node and how often it was started again."""

    spec: NodeSpec
    popen: subprocess.Popen[str] | None = None
    restarts: int = 0
    due_s: float = 0.0


class Supervisor:
    """Starts the processes of a graph, hands on their logs, restarts dead ones, stops all."""

    def __init__(self, graph: Graph, console: Console) -> None:
        self.graph, self.console = graph, console
        self.processes = [Process(node) for node in graph.nodes]
        self.stopping = False
        self._folder = tempfile.TemporaryDirectory(prefix='alpamayo_')

    def run(self, duration_s: float = 0.0) -> int:
        """Run until the graph's own end, ``duration_s`` (0: no limit) or a signal.

        Returns the graph's exit status.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: setattr(self, 'stopping', True))
        for process in self.processes:
            self._start(process)
        self.console.begin(self.graph, child_environment(self.graph))
        end_s = time.monotonic() + duration_s if duration_s > 0 else float('inf')
        status: int | None = None
        while status is None and not self.stopping and time.monotonic() < end_s:
            time.sleep(POLL_S)
            status = self._poll()
            self.console.tick()
        self.console.end()
        self.stop()
        return 0 if status is None else status

    def _start(self, process: Process) -> None:
        command = [sys.executable, '-u', '-m', f'alpamayo_ros.nodes.{process.spec.executable}']
        own_file = Path(self._folder.name) / f'{process.spec.name}.yaml'
        own_file.write_text(parameter_text(process.spec))
        last = self._last(process)
        last.unlink(missing_ok=True)
        process.popen = subprocess.Popen(
            command + ros_arguments(process.spec, self.graph, str(own_file)),
            env={**child_environment(self.graph), STATUS_FILE: str(last)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors='replace',
            start_new_session=True,
        )
        threading.Thread(target=self._pump, args=(process, process.popen), daemon=True).start()

    def _pump(self, process: Process, popen: subprocess.Popen[str]) -> None:
        assert popen.stdout is not None
        for line in popen.stdout:
            self.console.line(process.spec.name, line.rstrip())

    def _poll(self) -> int | None:
        """Status with which the graph ends, or None while it goes on."""
        now = time.monotonic()
        for process in self.processes:
            if process.popen is None:
                if now >= process.due_s:
                    self._start(process)
                continue
            status = process.popen.poll()
            if status is None:
                continue
            status = self._meant(process, status)
            refused = status in REFUSED  # starting it again would not help
            if process.spec.ends_graph or refused or not process.spec.respawn:
                return self._final(process, status)
            process.restarts += 1
            self.console.ended(process.spec.name, status, process.restarts)
            process.popen, process.due_s = None, now + RESPAWN_DELAY_S
        return None

    def _final(self, process: Process, status: int) -> int:
        """The status of the graph; a node that was killed is named."""
        if status >= 0:
            return status
        name, found = process.spec.name, 128 - status
        named = {int(each): each.name for each in signal.Signals}  # most of real time have none
        by = named.get(-status, f'signal {-status}')
        text = f'ERROR: {name} was killed by {by}, which ends the graph'
        self.console.line(name, f'{text} with status {found}')
        return found

    def _meant(self, process: Process, status: int) -> int:
        """The status of a node, also of one that hung while it was taken down."""
        if status != -signal.SIGALRM:
            return status
        try:
            status = int(self._last(process).read_text())
        except (OSError, ValueError):
            status = Status.ENVIRONMENT
        text = f'WARN: {process.spec.name} hung while it was taken down; its status is {status}'
        self.console.line(process.spec.name, text)
        return status

    def _last(self, process: Process) -> Path:
        """Where a node writes its status before it is taken down."""
        return Path(self._folder.name) / f'{process.spec.name}.status'

    def stop(self) -> None:
        """SIGTERM to every process, SIGKILL to what is left after the grace time."""
        alive = [p.popen for p in self.processes if p.popen is not None]
        for popen in alive:
            if popen.poll() is None:
                popen.terminate()
        end_s = time.monotonic() + STOP_GRACE_S
        for popen in alive:
            try:
                popen.wait(max(0.0, end_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                popen.kill()
                popen.wait()
        self._folder.cleanup()


def child_environment(graph: Graph) -> dict[str, str]:
    """This environment with the graph's; where no ROS is sourced, what the wheels need."""
    env = {**os.environ, **defaults(), **dict(graph.environment)}
    env.setdefault('RCUTILS_CONSOLE_OUTPUT_FORMAT', '{severity}: {message}')
    env[PARENT] = str(os.getpid())
    return env
