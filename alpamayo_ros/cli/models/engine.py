"""``alpamayo engine``: build, check, inspect and verify TensorRT engines of a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from alpamayo_ros.cli.choices import one_of, profile_of
from alpamayo_ros.cli.common.refusing import whoever_reads
from alpamayo_ros.cli.models.stopping import stop
from alpamayo_ros.statuses import Status

if TYPE_CHECKING:
    from alpamayo_ros.faults import Fault
    from alpamayo_ros.profile import ModelProfile
    from alpamayo_ros.runtime.manifest import ModelFiles
    from alpamayo_ros.runtime.tensorrt.engine_files import EngineManifest
    from alpamayo_ros.runtime.tensorrt.library import Library

HELP = """Build, check, inspect and verify TensorRT engines of a model; unverified on a GPU.

Example: alpamayo engine build --profile nano --target 8.9
"""
app = typer.Typer(no_args_is_help=True, add_completion=False, help=HELP)
T = TypeVar('T')

KINDS = ('tensorrt_rtx', 'tensorrt')
ELSEWHERE = (
    'for any other GPU, an H100 (9.0) for example, TensorRT itself builds on that machine: '
    'alpamayo engine build --runtime tensorrt'
)
ProfileOption = Annotated[str, typer.Option(help='A profile by name, or a .yaml path.')]
ModelOption = Annotated[
    Path | None, typer.Option(help='Model folder; default: the one that ships for the profile.')
]
KindOption = Annotated[
    str, typer.Option('--runtime', metavar='[tensorrt_rtx|tensorrt]', help='Which TensorRT.')
]


@app.command()
def build(
    profile: ProfileOption = 'nano',
    model: ModelOption = None,
    runtime: KindOption = KINDS[0],
    target: Annotated[
        str, typer.Option(help='Compute capability, such as 8.9; default: that of the GPU here.')
    ] = '',
) -> None:
    """Build an engine of every graph into this user's cache; TensorRT for RTX needs no GPU.

    Example: alpamayo engine build --profile nano --target 8.9
    """
    from alpamayo_ros.export.engine_build import build_engines, targets
    from alpamayo_ros.runtime.tensorrt.engine_files import engine_dir

    loaded, library = profile_of(profile), _library(runtime)
    files = _model(loaded, model)
    if target:
        _known_target(target, targets(library), library)
    goal, folder = target or _gpu(), engine_dir(loaded.name)
    found = _or_stop(build_engines(library, files, loaded, folder, goal, typer.echo))
    _table(found)
    typer.echo(f'{folder}: for compute capability {goal}, {library.kind} {library.version}')


@app.command()
def check(
    profile: ProfileOption = 'nano', model: ModelOption = None, runtime: KindOption = KINDS[0]
) -> None:
    """Would every graph be understood, and do the built engines fit? Exit 2, 5, 6 where not.

    Example: alpamayo engine check --profile nano
    """
    from alpamayo_ros.export.engine_build import understood
    from alpamayo_ros.runtime.registry import GRAPHS
    from alpamayo_ros.runtime.tensorrt import engine_files

    loaded, library = profile_of(profile), _library(runtime)
    files = _model(loaded, model)
    for name in GRAPHS:
        parsed = _or_stop(understood(library, name, files))
        typer.echo(f'{name}: understood, {parsed.network.num_layers} layers')
    folder = engine_files.engine_dir(loaded.name)
    found = _or_stop(engine_files.read_engines(folder, loaded.name))
    kind = (library.kind, library.version)
    fault = engine_files.misfit(found.manifest, files, *kind, found.manifest.target)
    if fault is not None:
        stop(fault)
    typer.echo(f'{folder}: {len(found.data)} engines, built from these graphs and unaltered')
    typer.echo(f'Whether a GPU of {found.manifest.target} runs them shows alpamayo engine verify.')


@app.command()
def inspect(profile: ProfileOption = 'nano') -> None:
    """What the built engines are: library, GPU, sizes, hashes, and the shapes they take.

    Example: alpamayo engine inspect --profile nano
    """
    from alpamayo_ros.runtime.tensorrt import engine_files

    name = profile_of(profile).name
    folder = engine_files.engine_dir(name)
    found = _or_stop(engine_files.read_engine_manifest(folder, name))
    typer.echo(f'{folder}: {found.profile}, {found.library} {found.version}')
    typer.echo(f'for compute capability {found.target}')
    _table(found)
    for entry in found.engines:
        for name, (low, usual, high) in entry.inputs.items():
            span = f'{low}' if low == high else f'{low} .. {high}, usually {usual}'
            typer.echo(f'  {entry.file} {name}: {span}')


@app.command()
def verify(
    profile: ProfileOption = 'nano',
    model: ModelOption = None,
    runtime: KindOption = KINDS[0],
    repeats: Annotated[int, typer.Option(min=1, max=10_000, help='Timed cycles.')] = 50,
) -> None:
    """Run the engines beside ONNX Runtime: difference and time of each stage. Needs a GPU.

    Example: alpamayo engine verify --profile nano
    """
    from alpamayo_ros.runtime.loader import model_dir, open_runtime
    from alpamayo_ros.runtime.tensorrt.compare import compare

    one_of('runtime', runtime, KINDS)
    loaded = profile_of(profile)
    folder = model if model is not None else model_dir(loaded)
    fast = _or_stop(open_runtime(runtime, loaded, folder))
    reference = _or_stop(open_runtime('onnx', loaded, folder))
    found = compare(fast, reference, loaded, repeats)
    with whoever_reads():
        for stage in found.stages:
            typer.echo(
                f'{stage.name}: largest difference {stage.difference:.3g}, {stage.ms:.3f} ms'
            )
        typer.echo(f'words: {"the same" if found.same_words else "others"}')
    if not found.same_words:
        raise typer.Exit(Status.FAIL)


def _library(kind: str) -> Library:
    from alpamayo_ros.runtime.tensorrt.library import open_library

    one_of('runtime', kind, KINDS)
    return _or_stop(open_library(kind))


def _gpu() -> str:
    """Compute capability of this machine; without a GPU a person has to name one."""
    from alpamayo_ros.faults import Fault
    from alpamayo_ros.runtime.tensorrt.cuda import open_cuda

    cuda = open_cuda()
    if isinstance(cuda, Fault):
        stop(f'{cuda.message} Or name the GPU to build for: --target 8.9')
    found = cuda.capability()
    cuda.close()
    return found


def _known_target(target: str, known: list[str], library: Library) -> None:
    if not known:
        stop(f'{library.kind} builds for the GPU it runs on; leave out --target')
    if target not in known:
        there = f'--target {target!r}: {library.kind} builds for {", ".join(known)}'
        raise typer.BadParameter(f'{there}, and an engine of one serves no other; {ELSEWHERE}')


def _model(profile: ModelProfile, folder: Path | None) -> ModelFiles:
    from alpamayo_ros.runtime.loader import model_dir
    from alpamayo_ros.runtime.manifest import check_profile, read_model

    files = _or_stop(read_model(folder if folder is not None else model_dir(profile)))
    fault = check_profile(files, profile)
    if fault is not None:
        stop(fault)
    return files


def _or_stop(found: T | Fault) -> T:
    """``found``, unless it is a fault: then its sentence and its exit status."""
    from alpamayo_ros.faults import Fault

    if isinstance(found, Fault):
        stop(found)
    return found


def _table(manifest: EngineManifest) -> None:
    from rich.table import Table

    from alpamayo_ros.cli.common import tables

    table = Table('engine', 'MB', 'SHA-256', 'of', 'SHA-256')
    for entry in manifest.engines:
        size, hashes = f'{entry.bytes / 1e6:.2f}', (entry.sha256[:16], entry.graph_sha256[:16])
        table.add_row(entry.file, size, hashes[0], entry.graph, hashes[1])
    tables.show(table)
