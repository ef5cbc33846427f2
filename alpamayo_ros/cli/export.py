"""``alpamayo export``: a training run's weights as a model folder (needs torch and onnxscript)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alpamayo_ros.cli.choices import profile_of
from alpamayo_ros.cli.model import ProfileOption
from alpamayo_ros.cli.models.fresh_folder import check_replaceable, fresh_folder, kept
from alpamayo_ros.cli.models.stopping import stop
from alpamayo_ros.cli.working import working
from alpamayo_ros.preflight import check_folder
from alpamayo_ros.runtime.golden import GOLDEN
from alpamayo_ros.runtime.loader import model_dir
from alpamayo_ros.runtime.manifest import MANIFEST, parse_manifest
from alpamayo_ros.runtime.registry import GRAPHS, TEXT_FILES, WEIGHTS
from alpamayo_ros.runtime.signature import SIGNATURE
from alpamayo_ros.statuses import ConfigError

if TYPE_CHECKING:
    from alpamayo_ros.model.vla import VLA
    from alpamayo_ros.profile import ModelProfile
    from alpamayo_ros.runtime.manifest import Manifest

SIZE_LIMIT = 25_000_000  # bytes; what a repository should carry
STEPS = (WEIGHTS, *GRAPHS, GOLDEN)
Summary = dict[str, str | int | float]

app = typer.Typer(help=__doc__)


def _folder(to: Path | None, profile: ModelProfile) -> Path:
    """Where to write; a model that is there is replaced only where ``to`` names it."""
    folder = to if to is not None else model_dir(profile)
    if to is None and (folder / MANIFEST).is_file():
        stop(f'{folder} holds a model: name a folder with --to, or --to {folder} to replace it')
    check_folder(folder)
    check_folder(folder.resolve().parent)
    check_replaceable(folder)
    return folder


def _next_release(folder: Path) -> int:
    """One more than the release that is there now; releases only grow."""
    from alpamayo_ros.faults import Fault

    file = folder / MANIFEST
    if not file.is_file():
        return 1
    there = parse_manifest(file.read_bytes(), folder)
    if isinstance(there, Fault):
        stop(f'{there.message}; export into another folder, or remove that file first')
    return there.release + 1


def training_summary(run: Path) -> Summary:
    """What is known of a run, flat: its finished steps, or the ``.json`` beside a weights file."""
    if run.is_file():
        note = run.with_suffix('.json')
        said = _noted(note) if note.is_file() else {}
        return {
            k: v if isinstance(v, str | int | float) else json.dumps(v) for k, v in said.items()
        }
    summary: Summary = {}
    for path in sorted(run.glob('*.done'), key=lambda p: p.stat().st_mtime):
        steps = ('do', 'seeds', 'data', 'minutes', 'threads')
        summary[path.stem] = json.dumps({k: v for k, v in _noted(path).items() if k in steps})
    return summary


def _noted(path: Path) -> dict[str, Any]:
    """The JSON object of a note about a training; ConfigError where it is none."""
    wanted = 'expected a JSON object that says what trained the weights'
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ConfigError(f'{path}: {wanted}, got no valid JSON: {error}') from error
    if not isinstance(found, dict):
        raise ConfigError(f'{path}: {wanted}, got {type(found).__name__}')
    return found


def _weights_file(run: Path, weights: str) -> Path:
    """The weights to export; what the run lacks is named, with what would write it."""
    file = run if run.is_file() else run / weights
    needed = [file] if run.is_file() else [file, *(run / name for name in TEXT_FILES)]
    absent = [str(path) for path in needed if not path.is_file()]
    if not absent:
        return file
    if absent == [str(file)] and (run / WEIGHTS).is_file():
        own = run / 'profile.yaml'
        more = f' --profile {own}' if own.is_file() else ''
        stop(f'no {file}; {run} has {WEIGHTS}: export it with --weights {WEIGHTS}{more}')
    stop(f'no {", ".join(absent)}: alpamayo train run --root {run} writes them')


def _loaded(file: Path, profile: ModelProfile) -> VLA:
    """The networks of ``profile`` with the weights of a file that fits them."""
    from safetensors import SafetensorError

    from alpamayo_ros.model.vla import VLA
    from alpamayo_ros.training.checkpoint import load_weights, mismatches

    model = VLA(profile)
    try:
        load_weights(file, model)
    except SafetensorError as error:
        stop(f'{file} is no file of safetensors: {error}')
    except RuntimeError:
        first, *others = mismatches(file, model)
        more = f' (and {len(others)} more)' if others else ''
        stop(
            f'{file} does not fit the profile {profile.name}: {first}{more}; '
            '--profile names the one that it was trained with'
        )
    return model


def _write_text_files(run: Path, profile: ModelProfile, folder: Path) -> None:
    """Tokenizer and grammar: the run's own, or for a bare weights file those of the profile."""
    from alpamayo_ros.training.vocabulary import build_vocabulary, write_vocabulary

    if run.is_file():
        write_vocabulary(build_vocabulary(profile), folder)
        return
    for name in TEXT_FILES:
        shutil.copyfile(run / name, folder / name)


def _write(
    run: Path, model: VLA, folder: Path, about: tuple[str, int, Summary],
    moved: Callable[[float], None],
) -> Manifest:  # fmt: skip
    """The whole model, with the card that lies in ``folder``, in the place of ``folder``."""
    from alpamayo_ros.export.model_folder import export_model
    from alpamayo_ros.export.sealing import CARD
    from alpamayo_ros.faults import Fault

    with fresh_folder(folder, without=(SIGNATURE,)) as fresh:  # it signed another manifest
        _write_text_files(run, model.profile, fresh)
        if (folder / CARD).is_file():
            shutil.copyfile(folder / CARD, fresh / CARD)
        progress = lambda name: moved(STEPS.index(name) / len(STEPS))  # noqa: E731
        manifest = export_model(model, fresh, *about, progress)
        if isinstance(manifest, Fault):
            stop(manifest)
    return manifest


@app.callback(invoke_without_command=True)
def export(
    run: Annotated[
        Path, typer.Argument(help='Run folder of alpamayo train, or a .safetensors file.')
    ] = Path('runs/nano'),
    to: Annotated[
        Path | None,
        typer.Option(
            help='Folder to write, or to replace; default: models/PROFILE, where none is.'
        ),
    ] = None,
    profile: ProfileOption = 'nano',
    weights: Annotated[
        str, typer.Option(help='Weights file in the run folder.')
    ] = 'model.safetensors',
    version: Annotated[str, typer.Option(help='Version to write into the manifest.')] = '0.1.0',
) -> None:
    """Round to float16, write safetensors and ONNX, a golden answer and the manifest.

    A weights file gets the vocabulary of the profile; FILE.json beside it says what trained it.
    A folder is replaced once the new model is complete; a card and files of yours in it stay.

    Example: alpamayo export runs/nano --to models/mine
    """
    file = _weights_file(run, weights)
    loaded = profile_of(profile)
    folder = _folder(to, loaded)
    about = version, _next_release(folder), training_summary(run)
    with working('exporting', bad=(), kept=kept(folder)) as moved:
        manifest = _write(run, _loaded(file, loaded), folder, about, moved)
    size = sum(entry.bytes for entry in manifest.files)
    for entry in manifest.files:
        typer.echo(f'{entry.bytes / 1e6:7.2f} MB  {entry.name}')
    typer.echo(f'{size / 1e6:7.2f} MB  in all, release {manifest.release}, {folder}')
    if size > SIZE_LIMIT:
        stop(f'a model may take {SIZE_LIMIT / 1e6:.0f} MB')
