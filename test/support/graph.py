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

import rclpy
from rclpy.executors import SingleThreadedExecutor

from alpamayo_ros.msg import CandidateArray, Health, PlannedTrajectory
from alpamayo_ros.nodes.common import qos

SCRIPT = """
/**/planner:
  ros__parameters:
    script: '{"speed_mps": 5.0}'
"""


class Graph:
    """The processes of ``alpamayo up`` and what they print."""

    def __init__(self, arguments: list[str], folder: Path, text: str = '') -> None:
        parameters = folder / 'script.yaml'
        parameters.write_text(SCRIPT + text)
        command = [sys.executable, '-m', 'alpamayo_ros.cli.main', 'up', *arguments]
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

    def wait(self, timeout_s: float) -> int:
        status = self.process.wait(timeout_s)
        self._reader.join(10)
        return status

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(10)

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
def running(arguments: list[str], folder: Path, text: str = '') -> Iterator[Graph]:
    """``text``: more parameters, as YAML."""
    graph = Graph(arguments, folder, text)
    try:
        yield graph
    finally:
        graph.stop()


class Listener:
    """Keeps every Health, plan and reply of the planner that passes."""

    def __init__(self, context: object, lockstep: bool, depth: int = 50) -> None:
        """``depth``: of the queues on this side; deep ones survive a busy machine."""
        self.node = rclpy.create_node('listener', namespace='/alpamayo', context=context)
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.node)
        self.health: list[Health] = []
        self.plans: list[PlannedTrajectory] = []
        self.replies: list[CandidateArray] = []
        profile = qos.lockstep(depth) if lockstep else qos.output(False, depth)
        for kind, topic, store in (
            (Health, 'health', self.health),
            (PlannedTrajectory, 'trajectory', self.plans),
            (CandidateArray, 'candidates', self.replies),
        ):
            self.node.create_subscription(kind, topic, store.append, profile)

    def until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        end_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end_s:
                return False
            self.executor.spin_once(timeout_sec=0.1)
        return True

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
