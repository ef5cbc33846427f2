"""``alpamayo replay``: plan along a recorded bag; figures, a report and a verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alpamayo_ros.cli.choices import (
    RuntimeOption,
    WordsConcurrent,
    WordsEvery,
    one_of,
    runtime_of,
    words_option,
)
from alpamayo_ros.cli.common.alone import alone
from alpamayo_ros.cli.operating import incidents
from alpamayo_ros.runtime import registry
from alpamayo_ros.statuses import Status

if TYPE_CHECKING:
    from alpamayo_ros.recording.recording import Recording
    from alpamayo_ros.replay.options import Options
    from alpamayo_ros.replay.run import Result

TYPED = 'COMMANDLINE'  # click's ParameterSource, of which typer has a copy of its own
PICTURES = ('all', 'front', 'none')


def app(
    ctx: typer.Context,
    bag: Annotated[Path, typer.Argument(help='Recording: .mcap, .db3 or a rosbag2 folder.')],
    out: Annotated[Path, typer.Option(help='Folder to write.')] = Path('out/replay'),
    rig: Annotated[
        str, typer.Option(help='Rig name or file; default: BAG.rig.yaml beside it, else sim.')
    ] = '',
    profile: Annotated[str, typer.Option(help='What the model needs.')] = 'nano',
    runtime: RuntimeOption = registry.DEFAULT,
    model: Annotated[str, typer.Option(help='Folder of the model; default: the shipped.')] = '',
    no_model: Annotated[
        bool, typer.Option('--no-model', help='Read, match and evaluate the baseline only.')
    ] = False,
    maps: Annotated[
        list[str] | None, typer.Option('--map', help='recorded:=ours, as often as needed.')
    ] = None,
    incomplete: Annotated[
        bool,
        typer.Option('--incomplete', help='Evaluation only: go on where inputs are missing.'),
    ] = False,
    against: Annotated[
        Path | None, typer.Option(help='summary.json of an earlier run: exit 1 when worse.')
    ] = None,
    tolerances: Annotated[
        Path | None, typer.Option(help='YAML of tolerances for --against; default: built in.')
    ] = None,
    limit_s: Annotated[float, typer.Option(min=0, help='Only so many seconds; 0: all.')] = 0.0,
    workers: Annotated[int, typer.Option(min=0, max=64, help='Threads; 0: by the machine.')] = 0,
    pictures: Annotated[
        str, typer.Option(help=f'Kept for the report: {", ".join(PICTURES)}.')
    ] = 'all',
    film: Annotated[bool, typer.Option('--film', help='Write DIR/drive.mp4 too.')] = False,
    seed: Annotated[int, typer.Option(min=0, help='Seed of the noise.')] = 0,
    words_every: WordsEvery = 0.0,
    words_concurrent: WordsConcurrent = False,
    as_json: Annotated[bool, typer.Option('--json', help='Print summary.json.')] = False,
) -> None:
    """Plan along a recorded drive, offline and without ROS, and say how well.

    Writes DIR/summary.json, DIR/report.html, DIR/plans.mcap (for RViz and Foxglove) and
    DIR/recording/.  The same bag gives the same plans.  Exit: 0 pass, 1 verdict or --against
    failed, 2 refused, 3 not evaluable, 5 the bag is damaged (what could be read is evaluated),
    6 the machine refused (a full disk), 130 interrupted (what was done is kept; never a pass).

    An incident (alpamayo up ... --incidents FOLDER) is not planned along: its decisions are taken
    again, and DIR/incident.html tells its story.  Exit 0 where they have the recorded bytes and
    none is missing, else 1.  With any option of planning, --runtime onnx for one, it is planned
    along as any recording.

    Example: alpamayo replay drive.mcap --map /cam0/image_raw:=camera/front/image_raw --out out/a
    """
    if not _plans(ctx) and incidents.is_incident(bag):
        raise typer.Exit(incidents.replay(bag, out, as_json))
    runtime_of(runtime)
    one_of('pictures', pictures, PICTURES)
    words_option(words_every, words_concurrent)
    from alpamayo_ros.preflight import check_bag, check_folder

    check_bag(bag)
    check_folder(out)
    from alpamayo_ros.replay.options import Options
    from alpamayo_ros.replay.topics import MappingError, parse_maps

    try:
        asked = Options(
            profile, rig, '' if no_model else runtime, model, parse_maps(maps or []), incomplete,
            limit_s, workers, pictures, seed, words_every_s=words_every,
            words_concurrent=words_concurrent,
        )  # fmt: skip
        with alone(out):
            raise typer.Exit(_replay(bag, out, asked, against, tolerances, as_json, film))
    except MappingError as error:
        raise typer.BadParameter(str(error)) from error


def _plans(ctx: typer.Context) -> bool:
    """Whether an option was typed that only planning takes."""
    sources = {name: ctx.get_parameter_source(name) for name in ctx.params}
    typed = {name for name, at in sources.items() if at is not None and at.name == TYPED}
    return bool(typed - {'bag', 'out', 'as_json'})


def _replay(
    bag: Path,
    out: Path,
    options: Options,
    against: Path | None,
    tolerances: Path | None,
    as_json: bool,
    film: bool = False,
) -> int:
    """The exit code."""
    from alpamayo_ros.cli.common.refusing import whoever_reads
    from alpamayo_ros.cli.replay_screen import Bar, show
    from alpamayo_ros.metrics import regression
    from alpamayo_ros.replay.run import ReplayError, run
    from alpamayo_ros.runtime.foreign import PlannerError

    if tolerances is not None and against is None:
        raise typer.BadParameter('--tolerances are those of --against, which is missing')
    try:
        reference = None if against is None else regression.read(against, tolerances)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    try:
        with Bar(bag.name) as tell:
            result = run(bag, out, options, tell)
    except (ReplayError, PlannerError) as error:
        typer.echo(f'alpamayo replay: {error}', err=True)
        return Status.USAGE
    summary = result.summary.as_dict()
    try:
        _report(summary, result, out, film)
    except KeyboardInterrupt:
        kept = 'the figures are in summary.json, report.html is not written'
        typer.echo(f'alpamayo replay: interrupted; {out}: {kept}', err=True)
        return Status.INTERRUPTED
    worse = [] if reference is None else regression.compare(reference, summary)
    with whoever_reads():
        if as_json:
            typer.echo(json.dumps(summary, indent=1))
        else:
            show(summary, out)
        if reference is not None:
            typer.echo(regression.words(worse, against), err=bool(worse) or as_json)
    return code(summary, result.interrupted, bool(worse))


def code(summary: dict[str, Any], interrupted: bool, worse: bool) -> int:
    """Exit status of a finished replay; without a model the figures of the baseline are asked."""
    if interrupted:
        return Status.INTERRUPTED
    if summary['broken']:
        return Status.DAMAGED
    if worse or summary['verdict'] == 'fail':
        return Status.FAIL
    alone = summary['identity']['model']['runtime'] == 'none'
    if alone and any(cell['baseline'] is not None for cell in summary['metrics'].values()):
        return Status.PASS
    return Status.NOT_EVALUABLE if summary['verdict'] == 'not evaluable' else Status.PASS


def _report(summary: dict[str, Any], result: Result, out: Path, film: bool) -> None:
    """report.html, plans.mcap, and the film where one was asked for.

    A film that is there already would not be of this run.
    """
    from alpamayo_ros.recording.recording import Recording
    from alpamayo_ros.reports import plan_bag, report_replay
    from alpamayo_ros.reports.film import NAME

    recording = Recording(result.recording)
    (out / NAME).unlink(missing_ok=True)
    if film:
        _film(recording, out / NAME)
    plan_bag.write(recording, out / plan_bag.NAME)
    page = report_replay.page(summary, recording)
    (out / 'report.html').write_text(page, encoding='utf-8')


def _film(recording: Recording, path: Path) -> None:
    """drive.mp4 under a progress bar."""
    from alpamayo_ros.cli.common.progress import Progress as Bars
    from alpamayo_ros.cli.common.unwritten import say_unwritten
    from alpamayo_ros.reports.film import film

    with Bars() as bars:
        task = bars.add_task(path.name, total=len(recording.times_ns))
        film(recording, path, lambda count: bars.update(task, completed=count))
    say_unwritten([recording])
