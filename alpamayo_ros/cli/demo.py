"""``alpamayo demo``: four drives in lockstep and one in real time over real ROS 2, on film.

Each drive is the graph that ``alpamayo up simulator`` starts, with a recorder beside it.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from alpamayo_ros.cli.choices import RuntimeOption, runtime_of
from alpamayo_ros.cli.common import tables
from alpamayo_ros.cli.common.progress import Progress
from alpamayo_ros.cli.common.refusing import whoever_reads
from alpamayo_ros.cli.demo_drive import Drive, DriveError, Now, drive
from alpamayo_ros.environment import check_domain
from alpamayo_ros.graph_options import Options
from alpamayo_ros.preflight import check_folder, check_model, check_renderer, check_room
from alpamayo_ros.profile import load_profile
from alpamayo_ros.reports.demo_summary import ScenarioRow
from alpamayo_ros.runtime import registry
from alpamayo_ros.runtime.loader import model_dir
from alpamayo_ros.statuses import Status
from alpamayo_ros.units import counted

app = typer.Typer(help='Drive four scenarios over real ROS 2 and show the result.')

# Seeds from 100: never used in training or to choose a checkpoint.  Chosen by the truth among
# sixteen to thirty-six of each: nano names nobody who is not there and does as it says, and there
# is something to see (facts F1 by `sim` 0.93, 0.89, 0.97, 0.73 and 0.99; agreement 0.95 and more).
DRIVES = (
    Drive('winding_road', 130, 'lockstep', 60.0, 'keep the lane of an unseen winding road'),
    Drive('stopped_car', 108, 'lockstep', 30.0, 'a car stands in the lane, 170 m down the road'),
    Drive('slowing_leader', 100, 'lockstep', 30.0, 'follow a car that brakes, stops, drives on'),
    Drive(
        'left_people_cross', 107, 'lockstep', 40.0, 'a left turn in town; people cross the street'
    ),
    Drive('winding_road', 116, 'free', 60.0, 'real time: ages and deadlines count'),
)


@app.callback(invoke_without_command=True)
def demo(
    runtime: RuntimeOption = registry.DEFAULT,
    out: Annotated[Path, typer.Option(help='Folder for summary, report and film.')] = Path(
        'out/demo'
    ),
    seconds: Annotated[
        float, typer.Option(min=3.0, help='End each drive after so many simulated seconds.')
    ] = 60.0,
    model: Annotated[str, typer.Option(help="Folder of the model; default: the profile's.")] = '',
    profile: Annotated[str, typer.Option(help='A profile by name, or a .yaml path.')] = 'nano',
) -> None:
    """Drive four scenarios in lockstep and one in real time; write summary, report and film."""
    console = tables.console()
    began_s = time.monotonic()
    planner = Options(runtime=runtime_of(runtime), profile=profile, model=model)
    _require_model(planner, console)
    check_folder(out)
    check_room(out)
    check_domain()
    check_renderer()
    try:
        good = _run(planner, out.resolve(), seconds, console)
    except KeyboardInterrupt:
        _say(console, '\nStopped; every process of the graph has ended.')
        raise typer.Exit(Status.INTERRUPTED) from None
    except DriveError as error:
        _say(console, f'\n[red]The demo failed.[/red] {error}')
        raise typer.Exit(Status.ENVIRONMENT) from None
    minutes, rest = divmod(time.monotonic() - began_s, 60)
    _say(console, f'Done in {minutes:.0f} min {rest:.0f} s.')
    if not good and not registry.is_test_double(runtime):
        _say(console, '[red]Not every drive went well[/red]: the report shows where and when.')
        raise typer.Exit(Status.FAIL)


def _require_model(planner: Options, console: Console) -> None:
    """Say plainly when the model is not there; nothing else takes its place."""
    profile = load_profile(planner.profile)
    folder = model_dir(profile)
    double = registry.is_test_double(planner.runtime)
    shipped = not (planner.model or double or profile.released)
    if shipped and not (folder / 'manifest.json').is_file():
        _say(
            console,
            f'[red]There is no model[/red] in {folder}: manifest.json is missing, so nobody '
            'could drive.\nGet the models/ folder of a release, or train it: alpamayo train '
            '--help.\nTo see the graph alone, with a test double that drives by script: '
            './run demo --runtime scripted',
        )
        raise typer.Exit(Status.USAGE)
    check_model(planner.runtime, profile, planner.model)


def _run(planner: Options, out: Path, seconds: float, console: Console) -> bool:
    """All drives, then film, summary and report; whether every drive went well."""
    _say(
        console,
        '[bold]alpamayo demo[/bold]: nine ROS 2 nodes in separate processes, six rendered '
        'cameras, one car.',
    )
    if registry.is_test_double(planner.runtime):
        _say(console, '[yellow]A scripted test double plans, not a model.[/yellow]')
    for name in ('summary.json', 'report.html', 'drive.mp4'):
        (out / name).unlink(
            missing_ok=True
        )  # of an earlier call: it would be taken for this one's
    rows, results = [], []
    folders = [out / 'runs' / d.name for d in DRIVES]
    with _progress() as progress:
        for what, folder in zip(DRIVES, folders, strict=True):
            limit_s = min(what.duration_s, seconds)
            title = what.scenario.replace('_', ' ')
            mode = 'lockstep' if what.mode == 'lockstep' else 'real time'
            task = progress.add_task(f'{title}, {mode}', total=limit_s, note='starting the graph')

            def tell(now: Now, task: int = task) -> None:
                note = f'{now.speed_mps:4.1f} m/s  {now.intent or now.reason}'
                progress.update(task, completed=now.elapsed_s, note=note[:60])  # type: ignore[arg-type]

            shorter = Drive(what.scenario, what.seed, what.mode, limit_s, what.description)
            row, result = drive(shorter, planner, folder, tell)
            rows.append(row)
            results.append(result)
            end = f'{result["end"]}, {row.distance_m:.0f} m, {_score(row)}'
            progress.update(task, completed=limit_s, note=end)
        from alpamayo_ros.cli.demo_results import write_results

        summary = write_results(rows, results, folders, out, progress)
    with whoever_reads():
        _show(console, summary, out)
    from alpamayo_ros.reports.report import good

    return all(good(row, result) is not False for row, result in zip(rows, results, strict=True))


def _say(console: Console, text: str) -> None:
    """Print for whoever reads: a drive or a verdict is still to come."""
    with whoever_reads():
        console.print(text)


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn('{task.description:<25}', table_column=Column(no_wrap=True)),
        BarColumn(bar_width=16),
        TimeElapsedColumn(),
        TextColumn('[dim]{task.fields[note]}[/dim]', table_column=Column(no_wrap=True)),
        said='note',
    )


def _score(row: ScenarioRow) -> str:
    return 'not scored' if row.score is None else f'score {row.score:.2f}'


def _show(console: Console, summary: object, out: Path) -> None:
    """The verdict as a table, and where to look."""
    from alpamayo_ros.reports.demo_summary import Summary

    assert isinstance(summary, Summary)
    table = Table(title_justify='left', box=None, pad_edge=False, padding=(0, 2))
    for name in ('drive', 'seed', 'mode', 'distance', 'at fault', 'off road', ''):
        table.add_column(name, justify='left' if name in ('drive', 'mode') else 'right')
    for row in summary.scenarios:
        colour = 'red' if row.score == 0 else 'green'
        table.add_row(
            row.name, str(row.seed), row.mode, f'{row.distance_m:.0f} m',
            str(row.collisions_at_fault), f'{row.offroad_s:.1f} s',
            f'[{colour}]{_score(row)}[/{colour}]',
        )  # fmt: skip
    console.print()
    tables.show(table, console)
    cycle, age = summary.cycle_ms, summary.plan_age_ms
    if cycle.p50 is not None and age.p50 is not None:
        console.print(
            f'\nIn real time: cycle {cycle.p50:.0f} ms (p99 {cycle.p99:.0f}), plan '
            f'{age.p50:.0f} ms old when driven (p99 {age.p99:.0f}), '
            f'{counted(summary.deadline_misses, "deadline")} missed, '
            f'{summary.real_time_factor or 0:.2f} x real time.'
        )
    console.print(f'\n  {out / "report.html"}   open this first')
    console.print(f'  {out / "drive.mp4"}   the film')
    console.print(f'  {out / "summary.json"}   the figures\n')
