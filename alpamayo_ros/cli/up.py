"""``alpamayo up GRAPH``: the processes of ``bringup.py``, where ``launch`` is not installed."""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from alpamayo_ros.bringup import (
    GRAPHS,
    RESPAWN_DELAY_S,
    Graph,
    NodeSpec,
    parameter_text,
    ros_arguments,
)
from alpamayo_ros.cli.choices import RuntimeOption, runtime_of
from alpamayo_ros.cli.operating.segments import remove_dead_segments
from alpamayo_ros.environment import PARENT, defaults
from alpamayo_ros.graph_options import Choice, Options, choices
from alpamayo_ros.preflight import check_graph
from alpamayo_ros.statuses import Status

STOP_GRACE_S = 5.0  # a node ends within 0.3 s of SIGTERM; the planner waits for its child
COLOURS = (36, 32, 33, 35, 34, 96, 92, 93)

app = typer.Typer(help='Start a graph: vehicle, simulator or replay.')


@dataclass
class Process:
    """One running node and how often it was started again."""

    spec: NodeSpec
    colour: int
    popen: subprocess.Popen[str] | None = None
    restarts: int = 0
    due_s: float = field(default=0.0)


class Supervisor:
    """Starts the processes of a graph, prefixes their logs, restarts dead ones, stops all."""

    def __init__(self, graph: Graph, out: IO[str] = sys.stdout) -> None:
        self.graph, self.out = graph, out
        self.processes = [Process(n, COLOURS[i % len(COLOURS)]) for i, n in enumerate(graph.nodes)]
        self.stopping = False
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix='alpamayo_')

    def run(self, duration_s: float = 0.0) -> int:
        """Run until the graph's own end, ``duration_s`` (0: no limit) or a signal.

        Returns the graph's exit status.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: setattr(self, 'stopping', True))
        for process in self.processes:
            self._start(process)
        end_s = time.monotonic() + duration_s if duration_s > 0 else float('inf')
        status: int | None = None
        while status is None and not self.stopping and time.monotonic() < end_s:
            time.sleep(0.05)
            status = self._poll()
        self.stop()
        return 0 if status is None else status

    def _start(self, process: Process) -> None:
        command = [sys.executable, '-u', '-m', f'alpamayo_ros.nodes.{process.spec.executable}']
        own_file = Path(self._folder.name) / f'{process.spec.name}.yaml'
        own_file.write_text(parameter_text(process.spec))
        process.popen = subprocess.Popen(
            command + ros_arguments(process.spec, self.graph, str(own_file)),
            env=child_environment(self.graph),
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
            self.say(process, line.rstrip())

    def say(self, process: Process, text: str) -> None:
        """One log line, prefixed with the node's name, coloured on a terminal."""
        name = f'{process.spec.name:>11}'
        if self.out.isatty():
            name = f'\033[{process.colour}m{name}\033[0m'
        with self._lock:
            print(f'{name} | {text}', file=self.out, flush=True)

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
            refused = status == Status.USAGE  # starting it again would not help
            if process.spec.ends_graph or refused or not process.spec.respawn:
                return status if status >= 0 else 128 - status
            process.restarts += 1
            self.say(
                process,
                f'ended with status {status}; starting it again (number {process.restarts})',
            )
            process.popen, process.due_s = None, now + RESPAWN_DELAY_S
        return None

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


class GraphName(StrEnum):
    """The graphs of ``bringup.py``."""

    vehicle = 'vehicle'
    simulator = 'simulator'
    replay = 'replay'


def up(graph: GraphName, **chosen: Any) -> None:
    """Start a graph and run it until its end, --duration or Ctrl-C."""
    options = Options(**{**chosen, 'runtime': runtime_of(chosen['runtime'])})
    check_graph(graph.value, options)
    _free_memory()
    limit_s = options.duration_s if graph is GraphName.vehicle else 0.0
    status = Supervisor(GRAPHS[graph.value](options)).run(limit_s)
    if options.record:
        _tell(Path(options.record))
    raise typer.Exit(status)


def _free_memory() -> None:
    """Remove what killed participants of this user left in shared memory, and say how much."""
    removed = remove_dead_segments(time.time())
    if removed:
        size = sum(segment.size_bytes for segment in removed) / 1e6
        typer.echo(f'shared memory of {len(removed)} killed nodes was freed ({size:.0f} MB)')


def _tell(folder: Path) -> None:
    """What a recording holds, and how late its plans were."""
    from alpamayo_ros.recording import events
    from alpamayo_ros.recording.recording import EVENTS, Recording
    from alpamayo_ros.reports.cycle_times import timing

    if not (folder / EVENTS).is_file():
        typer.echo(f'{folder}: nothing was recorded; the recorder did not start', err=True)
        return
    recording = Recording(folder)
    healths, found = recording.all(events.Health), timing(recording)
    if healths:
        last = healths[-1]
        typer.echo(f'{folder}: {last.plans} plans, {last.stops} stops, {last.refusals} refusals')
    for name, what in (('plan_age_ms', 'plan age'), ('cycle_ms', 'cycle')):
        half, most = found[f'{name}_p50'], found[f'{name}_p99']
        if half is not None and most is not None:
            typer.echo(f'  {what}: {half:.0f} ms (99 %: {most:.0f} ms)')
    if found['deadline_misses'] is not None:
        typer.echo(f'  deadlines missed: {found["deadline_misses"]:.0f}')
    typer.echo(f'look at it: alpamayo view {folder}')


def _parameter(choice: Choice) -> inspect.Parameter:
    """The option as typer reads it from a signature."""
    kind: Any = RuntimeOption
    if choice.name != 'runtime':
        low, high = choice.within or (None, None)
        option = typer.Option(choice.flag, help=choice.sentence, min=low, max=high)
        kind = Annotated[type(choice.default), option]
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(choice.name, keyword, default=choice.default, annotation=kind)


def _signature() -> inspect.Signature:
    """The graph, then one option for every field of ``Options``."""
    kind = Annotated[GraphName, typer.Argument(help='Which graph to start.')]
    graph = inspect.Parameter('graph', inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=kind)
    return inspect.Signature([graph, *map(_parameter, choices())])


up.__signature__ = _signature()  # type: ignore[attr-defined]
up.__annotations__ = {p.name: p.annotation for p in _signature().parameters.values()}
app.callback(invoke_without_command=True)(up)
