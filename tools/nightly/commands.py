"""The commands of ``./run nightly``: what they start, and what their figures hold."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import rclpy
import typer
from graph import Graph, running
from kills import BACK_WITHIN_S, NAMED_WITHIN_S, NODES, Kill, Watch
from left_behind import LeftBehind
from soak import SPEED_MPS, scenario, soak
from starve import AGE_MAX_S, AGE_P99_S, RECOVERY_S, Starved, starve

from alpamayo_ros.shared_memory import YOUNG_S

DOMAIN = 88  # of ROS_DOMAIN_ID, where none is set
VEHICLE = ['vehicle', '--runtime', 'scripted']
END_S = 10.0  # after a graph has ended its processes are gone
START_S = 120.0  # for the start of a graph, and what is watched around the loops

app = typer.Typer(help='Tests of minutes to hours.', no_args_is_help=True)
Json = Annotated[Path, typer.Option('--json', help='Where the figures go.')]


@contextmanager
def _watched() -> Iterator[LeftBehind]:
    """A domain and a folder for the files of everything that is started inside."""
    os.environ.setdefault('ROS_DOMAIN_ID', str(DOMAIN))
    with tempfile.TemporaryDirectory(prefix='nightly_') as made:
        folder, logs = Path(made) / 'tmp', Path(made) / 'log'
        folder.mkdir()
        os.environ |= {'TMPDIR': str(folder), 'ROS_LOG_DIR': str(logs)}
        yield LeftBehind(int(os.environ['ROS_DOMAIN_ID']), folder)


@contextmanager
def _graph(words: list[str], left: LeftBehind) -> Iterator[Graph]:
    """A graph; its end is waited for."""
    with running(words, left.folder.parent) as graph:
        yield graph
    end_s = time.monotonic() + END_S
    while left.processes() and time.monotonic() < end_s:
        time.sleep(0.1)


def _lives(left: LeftBehind, rounds: int) -> Iterator[tuple[int, Kill]]:
    """Every node of one graph killed ``rounds`` times; a graph that is not well ends it."""
    context = rclpy.Context()
    rclpy.init(context=context)
    with _graph(VEHICLE, left) as graph:
        watch = Watch(context, graph, left)
        for number in range(rounds):
            for node in NODES:
                if not watch.calm():
                    raise typer.BadParameter(f'the graph is not well:\n{graph.log[-3000:]}')
                yield number, watch.kill(node)
        watch.close()
    context.try_shutdown()


def _freed(left: LeftBehind) -> None:
    """Start a graph once more, as a person would: that is when shared memory is freed."""
    time.sleep(YOUNG_S)
    with _graph([*VEHICLE, '--duration', '1'], left) as graph:
        graph.wait()


def _of_node(kills: list[Kill]) -> dict[str, Any]:
    """The times of one node."""
    named = [k.detected_s for k in kills if k.detected_s is not None]
    back = [k.back_s for k in kills if k.back_s is not None]
    return {
        'kills': len(kills),
        'held': sum(k.held for k in kills),
        'detected_max_s': round(max(named, default=-1.0), 3),
        'back_max_s': round(max(back, default=-1.0), 3),
        'detected_s': [round(s, 3) for s in named],
        'back_s': [round(s, 3) for s in back],
    }


def _written(path: Path, found: dict[str, Any], left: LeftBehind, held: bool) -> None:
    """The figures as a file, what was left on the screen, and the status."""
    traces = {
        'orphans': left.processes(),
        'shared_memory': left.shared_memory(),
        'folders': left.files(),
    }
    held = held and not any(traces.values())
    machine = {'processors': os.cpu_count(), 'load': [round(x, 1) for x in os.getloadavg()]}
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {'held': held, **traces, **found, 'machine': machine}
    path.write_text(json.dumps(whole, indent=1) + '\n')
    print(f'left behind: {traces}')
    print(f'{path}: every bar was held' if held else f'{path}: NOT every bar was held')
    raise typer.Exit(int(not held))


@app.command()
def kills(
    rounds: Annotated[int, typer.Option(min=1, help='How often each node is killed.')] = 30,
    graph_rounds: Annotated[int, typer.Option(min=1, help='Rounds before a new graph.')] = 10,
    json_path: Json = Path('out/nightly/kills.json'),
) -> None:
    """Kill every node with SIGKILL: named within 0.7 s, back within 10 s, nothing left."""
    found: list[Kill] = []
    with _watched() as left:
        while len(found) < rounds * len(NODES):
            done = len(found) // len(NODES)
            for number, one in _lives(left, min(graph_rounds, rounds - done)):
                found.append(one)
                print(done + number + 1, one.node, one.detected_s, one.back_s, flush=True)
        _freed(left)
        nodes = {n: _of_node([k for k in found if k.node == n]) for n in NODES}
        bars = {'detected_s': NAMED_WITHIN_S, 'back_s': BACK_WITHIN_S}
        held = all(k.held for k in found)
        _written(json_path, {'rounds': rounds, 'bars': bars, 'nodes': nodes}, left, held)


@app.command('soak')
def soaked(
    minutes: Annotated[float, typer.Option(min=0.5, max=10.0, help='How long.')] = 10.0,
    runtime: Annotated[str, typer.Option(help='Who plans.')] = 'onnx',
    json_path: Json = Path('out/nightly/soak.json'),
) -> None:
    """Drive, a camera lost once a minute: memory, files and shared memory do not grow."""
    with _watched() as left:
        file = scenario(left.folder.parent, 60 * minutes)
        words = ['simulator', '--runtime', runtime, '--scenario', str(file)]
        words += ['--speed-cap', str(SPEED_MPS)]
        with _graph(words, left) as graph:
            found = soak(graph, left, 60 * minutes, lambda text: print(text, flush=True))
            ended = graph.process.poll()
        found['ended_early'] = None if ended is None else graph.log[-2000:]
        held = ended is None and all(p['held'] for p in found['processes'].values())
        _written(json_path, {'minutes': minutes, **found}, left, held)


@app.command('starve')
def starved(
    loops: Annotated[int, typer.Option(min=1, max=64, help='Busy loops beside the graph.')] = 4,
    seconds: Annotated[float, typer.Option(min=5.0, max=300.0, help='How long.')] = 20.0,
    runtime: Annotated[str, typer.Option(help='Who plans.')] = 'onnx',
    json_path: Json = Path('out/nightly/starve.json'),
) -> None:
    """Drive beside busy loops: no plan grows old, and all is well 2 s after their end."""
    context = rclpy.Context()
    with _watched() as left:
        rclpy.init(context=context)
        file = scenario(left.folder.parent, seconds + START_S)
        words = ['simulator', '--runtime', runtime, '--scenario', str(file)]
        with _graph([*words, '--speed-cap', str(SPEED_MPS)], left) as graph:
            watch = Starved(context, graph)
            found = starve(watch, loops, seconds, lambda text: print(text, flush=True))
            watch.close()
        context.try_shutdown()
        bars = {'age_p99_s': AGE_P99_S, 'age_max_s': AGE_MAX_S, 'recovered_s': RECOVERY_S}
        held = found.pop('held')
        _written(
            json_path, {'loops': loops, 'seconds': seconds, 'bars': bars, **found}, left, held
        )
