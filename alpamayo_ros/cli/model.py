"""``alpamayo model``: show, verify and time a model folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alpamayo_ros.cli.choices import RuntimeOption, any_profile_of, profile_of
from alpamayo_ros.cli.models.adopt import adopt
from alpamayo_ros.cli.models.quantise import quantise
from alpamayo_ros.cli.models.stopping import stop, stop_at_bare_weights
from alpamayo_ros.cli.models.verify import sign, verify
from alpamayo_ros.runtime import registry
from alpamayo_ros.statuses import Status

if TYPE_CHECKING:
    from alpamayo_ros.profile import ModelProfile
    from alpamayo_ros.runtime.manifest import ModelFiles

HELP = """Show, verify, sign and time models; adopt, quantise or try one.

Examples: alpamayo model card; alpamayo model verify models/mine; alpamayo model show nano
"""
app = typer.Typer(no_args_is_help=True, add_completion=False, help=HELP)
app.command()(verify)
app.command()(sign)
app.command()(adopt)
app.command()(quantise)

FolderArgument = Annotated[
    Path | None, typer.Argument(help='Model folder; default: the one that ships for the profile.')
]
ProfileOption = Annotated[str, typer.Option(help='A profile by name, or a .yaml path.')]


def _files(folder: Path | None, profile_name: str) -> ModelFiles:
    from alpamayo_ros.faults import Fault
    from alpamayo_ros.runtime.loader import model_dir
    from alpamayo_ros.runtime.manifest import check_profile, read_model

    profile = profile_of(profile_name)
    place = folder if folder is not None else model_dir(profile)
    stop_at_bare_weights(place)
    files = read_model(place)
    fault = files if isinstance(files, Fault) else check_profile(files, profile)
    if isinstance(files, Fault) or fault is not None:
        assert fault is not None
        stop(fault)
    return files


@app.command()
def show(
    target: Annotated[
        str, typer.Argument(help='A profile by name, a .yaml path, or the folder of a model.')
    ] = '',
    profile: ProfileOption = 'nano',
    tiny: Annotated[
        bool, typer.Option('--tiny', help='The same architecture at the size of a test.')
    ] = False,
    as_json: Annotated[bool, typer.Option('--json', help='The architecture as JSON.')] = False,
) -> None:
    """Layers, parameters and memory of a profile, then version and files of its verified model.

    A folder shows the files alone.

    Example: alpamayo model show alpamayo-7b
    """
    from alpamayo_ros.runtime.loader import model_dir

    if target and Path(target).is_dir():
        if tiny or as_json:
            stop(f'--tiny and --json are of a profile; {target} is the folder of a model')
        return _show_files(_files(Path(target), profile))
    if any_profile_of(target or profile).released:
        return _show_released(any_profile_of(target or profile), tiny, as_json)
    loaded = profile_of(target or profile)
    _show_architecture(loaded, tiny, as_json)
    if not (tiny or as_json):
        if not model_dir(loaded).is_dir():
            typer.echo('No weights of this profile ship; somebody has to train them.')
        else:
            _show_files(_files(None, target or profile))


def _show_released(profile: ModelProfile, tiny: bool, as_json: bool) -> None:
    from alpamayo_ros.cli.models.released import print_released

    if tiny:
        stop(f"--tiny is of networks of this package; those of {profile.name} are the vendor's")
    print_released(profile, as_json)


def _show_architecture(profile: ModelProfile, tiny: bool, as_json: bool) -> None:
    from importlib.util import find_spec

    if find_spec('torch') is None:
        stop('torch counts the layers: pip install -r requirements/train.txt')
    from alpamayo_ros.cli.models.architecture import print_architecture
    from alpamayo_ros.model.tiny import tiny as reduced

    print_architecture(reduced(profile) if tiny else profile, as_json)


def _show_files(files: ModelFiles) -> None:
    from rich.table import Table

    from alpamayo_ros.cli.common import tables

    manifest = files.manifest
    typer.echo(f'{manifest.profile} {manifest.version}, release {manifest.release}')
    typer.echo(f'  manifest: {files.sha256}')
    for key, value in manifest.training.items():
        typer.echo(f'  {key}: {value}')
    table = Table('file', 'MB', 'weights', 'SHA-256')
    for entry in manifest.files:
        table.add_row(entry.name, f'{entry.bytes / 1e6:.2f}', entry.dtype, entry.sha256[:16])
    tables.show(table)


@app.command('try')
def try_profile(
    profile: Annotated[str, typer.Argument(help='A profile by name, or a .yaml path.')],
    steps: Annotated[int, typer.Option(min=20, help='Steps of training.')] = 60,
    seed: Annotated[int, typer.Option(help='Of weights and made-up numbers.')] = 0,
) -> None:
    """Train the architecture at test size on made-up numbers, sample, take inputs away.

    Exit 1 where it does not learn, a weight is never reached, or a number is not finite.

    Example: alpamayo model try my_profile.yaml
    """
    from alpamayo_ros.cli.models.trying import report

    if not report(profile_of(profile), steps, seed):
        raise typer.Exit(Status.FAIL)


@app.command('import-text')
def import_text(
    source: Annotated[
        Path, typer.Argument(help='Folder with config.json, tokenizer.json and safetensors.')
    ],
    to: Annotated[Path, typer.Option(help='Run folder to write; it must hold no weights yet.')],
    profile: Annotated[
        str, typer.Option(help='A profile with the shapes of that model.')
    ] = 'alpamayo-0.5b',
) -> None:
    """Start a run with the weights and words of a Qwen2.5 or Qwen3 text model.

    Vision, fusion and denoiser are fresh; the backbone and the words are those of the folder.

    Example: alpamayo model import-text Qwen2.5-0.5B --profile alpamayo-0.5b --to runs/mine
    """
    from alpamayo_ros.cli.models.import_text import import_text as write

    fault = write(source, profile_of(profile), to)
    if fault is not None:
        stop(str(fault))


@app.command()
def card(folder: FolderArgument = None, profile: ProfileOption = 'nano') -> None:
    """The model card: what it was trained on, what it can do, what nobody has tested."""
    from rich.console import Console
    from rich.markdown import Markdown

    from alpamayo_ros.faults import Fault

    text = _files(folder, profile).get('card.md')
    if isinstance(text, Fault):
        stop(text)
    Console().print(Markdown(text.decode('utf-8', 'replace')))


@app.command()
def faithfulness(
    folder: FolderArgument = None,
    profile: ProfileOption = 'nano',
    runtime: RuntimeOption = registry.DEFAULT,
    scenarios: Annotated[
        str,
        typer.Option(
            help='Names of scenarios, with commas between them; default: '
            'winding_road, stopped_car, slowing_leader.',
            show_default=False,
        ),
    ] = 'winding_road,stopped_car,slowing_leader',
    seeds: Annotated[str, typer.Option(help='100:105 (end excluded), 7 or 1,5,9.')] = '100',
) -> None:
    """Force other words, hide them, take others out of the pictures: what the plan does then.

    Example: alpamayo model faithfulness --seeds 100:110
    """
    from alpamayo_ros.cli.common.apart import driving
    from alpamayo_ros.cli.models.faithful_process import instants_of
    from alpamayo_ros.cli.sim import parse_seeds
    from alpamayo_ros.faults import Fault
    from alpamayo_ros.runtime.loader import open_runtime
    from alpamayo_ros.runtime.staged import StagedRuntime
    from alpamayo_ros.simulation.batch.task import Task
    from alpamayo_ros.simulation.drive.faithfulness import figures
    from alpamayo_ros.simulation.scenario import load_scenario

    opened = open_runtime(runtime, profile_of(profile), folder)
    if isinstance(opened, Fault):
        stop(opened)
    if not isinstance(opened, StagedRuntime):
        stop(f'{runtime} cannot be told its words; choose onnx or torch')
    opened.close()  # the process that drives opens its own
    try:
        chosen = [load_scenario(name.strip()) for name in scenarios.split(',')]
    except (FileNotFoundError, ValueError) as error:
        raise typer.BadParameter(f'--scenarios: {error}') from error
    task = Task('', runtime, profile, '' if folder is None else str(folder))
    drives = [(one, seed) for one in chosen for seed in parse_seeds(seeds)]
    with driving('alpamayo model faithfulness'):
        found = instants_of(task, drives)
    for key, value in figures(found).items():
        typer.echo(f'{key}: {"nothing to say" if value is None else value}')


@app.command()
def time(
    folder: FolderArgument = None,
    profile: ProfileOption = 'nano',
    runtime: RuntimeOption = registry.DEFAULT,
    cycles: Annotated[int, typer.Option(min=1, max=100_000, help='Cycles to time.')] = 20,
) -> None:
    """CPU and wall milliseconds of encode, reason and denoise on this machine."""
    import numpy as np

    from alpamayo_ros.faults import Fault
    from alpamayo_ros.runtime.loader import open_runtime
    from alpamayo_ros.runtime.time_stages import stage_times

    loaded = profile_of(profile)
    opened = open_runtime(runtime, loaded, folder)
    if isinstance(opened, Fault):
        stop(opened)
    for stage, spent in stage_times(opened, loaded, cycles).items():
        half, most = np.percentile([each.cpu_ms for each in spent], [50, 99])
        wall, longest = np.percentile([each.wall_ms for each in spent], [50, 99])
        cpu = f'p50 {half:6.1f} ms  p99 {most:6.1f} ms CPU'
        typer.echo(f'{stage:8} {cpu}   {wall:6.1f}, {longest:6.1f} ms wall')
