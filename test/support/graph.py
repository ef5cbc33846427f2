"""Starts a graph as a person would, and listens to it from inside the test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rclpy
import yaml
from rclpy.executors import SingleThreadedExecutor

from alpamayo_ros.msg import CandidateArray, Health, PlannedTrajectory
from alpamayo_ros.nodes.common import qos

# Reached only where something hangs: the tests pass on a machine ten times as slow.
PATIENCE_S = 300.0
PATIENT = {'start_timeout_s': PATIENCE_S, 'hang_guard_s': PATIENCE_S}
PARAMETERS: dict[str, dict[str, object]] = {
    'planner': {'script': '{"speed_mps": 5.0}'},
    'simulator': PATIENT,
    'replay': PATIENT,
}


class Graph:
    """The processes of ``alpamayo up`` and what they print."""

    def __init__(self, arguments: list[str], folder: Path, **changes: dict[str, object]) -> None:
        parameters, nodes = folder / 'script.yaml', PARAMETERS.keys() | changes.keys()
        values = {n: {**PARAMETERS.get(n, {}), **changes.get(n, {})} for n in sorted(nodes)}
        tree = {f'/**/{name}': {'ros__parameters': found} for name, found in values.items()}
        parameters.write_text(yaml.safe_dump(tree))
        command = [sys.executable, '-m', 'alpamayo_ros.cli.main', 'up', *arguments, '--verbose']
        command += ['--parameters', str(parameters)]
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    @property
    def log(self) -> str:
        return '\n'.join(self.lines)

    def wait(self, timeout_s: float = PATIENCE_S) -> int:
        try:
            status = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f'it still runs after {timeout_s:g} s:\n{self.log}') from None
        self._reader.join(PATIENCE_S)
        return status

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(PATIENCE_S)

    def pids(self, words: str) -> list[int]:
        """Descendants whose command line holds ``words``."""
        parents, found = {}, []
        for entry in Path('/proc').iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = int((entry / 'stat').read_text().rpartition(')')[2].split()[1])
                command = (entry / 'cmdline').read_bytes().replace(b'\0', b' ').decode()
            except (OSError, ValueError):
                continue
            parents[int(entry.name)] = parent
            if words in command:
                found.append(int(entry.name))
        return [pid for pid in found if self.process.pid in _ancestors(pid, parents)]


def _ancestors(pid: int, parents: dict[int, int]) -> Iterator[int]:
    while pid in parents:
        pid = parents[pid]
        yield pid


@contextmanager
def running(arguments: list[str], folder: Path, **changes: dict[str, object]) -> Iterator[Graph]:
    """``changes``: parameters by node, beside PARAMETERS."""
    graph = Graph(arguments, folder, **changes)
    try:
        yield graph
    finally:
        graph.stop()


NAME = 'listener'
LISTENED = ['--lockstep', '--listeners', NAME]
DEPTH = 500  # of the queues on this side


class Listener:
    """Keeps every Health, plan and reply of the planner that passes."""

    def __init__(self, context: object, lockstep: bool = False) -> None:
        self.node = rclpy.create_node(NAME, namespace='/alpamayo', context=context)
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.node)
        self.health: list[Health] = []
        self.plans: list[PlannedTrajectory] = []
        self.replies: list[CandidateArray] = []
        self._profile = qos.lockstep(DEPTH) if lockstep else qos.output(False, DEPTH)
        self.read(Health, 'health', self.health.append)
        self.read(PlannedTrajectory, 'trajectory', self.plans.append)
        self.read(CandidateArray, 'candidates', self.replies.append)

    def read(self, kind: type, topic: str, take: Callable[[Any], None]) -> None:
        """One more topic of the graph."""
        self.node.create_subscription(kind, topic, take, self._profile)

    def until(self, condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> bool:
        end_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end_s:
                return False
            self.executor.spin_once(timeout_sec=0.1)
            self.work()
        return True

    def work(self) -> None:
        """What is to be done beside listening."""

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()


def leftovers(domain: int) -> list[str]:
    """Processes of this package that still run in the test's own domain."""
    found = []
    for entry in Path('/proc').iterdir():
        try:
            if b'alpamayo_ros' in (entry / 'cmdline').read_bytes():
                if f'ROS_DOMAIN_ID={domain}\0'.encode() in (entry / 'environ').read_bytes():
                    found.append(entry.name)
        except OSError:
            continue
    return [pid for pid in found if pid != str(os.getpid())]
