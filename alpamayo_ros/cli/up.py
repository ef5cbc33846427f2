"""``alpamayo up GRAPH``: the processes of ``bringup.py``, where ``launch`` is not installed."""

from __future__ import annotations

import inspect
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from alpamayo_ros.bringup import GRAPHS
from alpamayo_ros.cli.choices import RuntimeOption, runtime_of
from alpamayo_ros.cli.operating.brief import Brief
from alpamayo_ros.cli.operating.every_line import EveryLine
from alpamayo_ros.cli.operating.supervisor import Console, Supervisor
from alpamayo_ros.graph_options import Choice, Options, choices
from alpamayo_ros.parameters.own_file import unread
from alpamayo_ros.preflight import check_graph
from alpamayo_ros.shared_memory import freed
from alpamayo_ros.units import counted

app = typer.Typer(help='Start a graph: vehicle, simulator or replay.')


class GraphName(StrEnum):
    """The graphs of ``bringup.py``."""

    vehicle = 'vehicle'
    simulator = 'simulator'
    replay = 'replay'


def up(graph: GraphName, verbose: bool, **chosen: Any) -> None:
    """Start a graph and run it until its end, --duration or Ctrl-C.

    Each change of state is a line; on a terminal the last line is the status now.

    Examples: alpamayo up simulator --scenario stopped_car --seed 7 --lockstep

    alpamayo up vehicle --rig my_car.yaml --shadow --bag-out out/drive.mcap
    """
    options = Options(**{**chosen, 'runtime': runtime_of(chosen['runtime'])})
    check_graph(graph.value, options)
    for text in filter(None, (freed(time.time()), unread(graph.value, options))):
        typer.echo(text)
    limit_s = options.duration_s if graph is GraphName.vehicle else 0.0
    by_hand = graph is GraphName.vehicle or options.manual
    console: Console = EveryLine() if verbose else Brief(by_hand)
    status = Supervisor(GRAPHS[graph.value](options), console).run(limit_s)
    if options.record:
        _tell(Path(options.record))
    raise typer.Exit(status)


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
        counts = ((last.plans, 'plan'), (last.stops, 'stop'), (last.refusals, 'refusal'))
        typer.echo(f'{folder}: {", ".join(counted(*one) for one in counts)}')
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
    """The graph, how much is printed, then one option for every field of ``Options``."""
    kind = Annotated[GraphName, typer.Argument(help='Which graph to start.')]
    graph = inspect.Parameter('graph', inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=kind)
    said = typer.Option('--verbose/--brief', help='Print every line of every node.')
    verbose = inspect.Parameter(
        'verbose', inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, said]
    )
    return inspect.Signature([graph, verbose, *map(_parameter, choices())])


up.__signature__ = _signature()  # type: ignore[attr-defined]
up.__annotations__ = {p.name: p.annotation for p in _signature().parameters.values()}
app.callback(invoke_without_command=True)(up)
