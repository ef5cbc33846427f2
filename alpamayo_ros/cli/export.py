"""``alpamayo export``: a training run's weights as a model folder (needs torch and onnxscript)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alpamayo_ros.cli.choices import profile_of
from alpamayo_ros.cli.model import ProfileOption
from alpamayo_ros.cli.models.stopping import stop

if TYPE_CHECKING:
    from alpamayo_ros.profile import ModelProfile

SIZE_LIMIT = 25_000_000  # bytes; what a repository should carry

app = typer.Typer(help=__doc__)


def _next_release(folder: Path) -> int:
    """One more than the release that is there now; releases only grow."""
    manifest = folder / 'manifest.json'
    return int(json.loads(manifest.read_text())['release']) + 1 if manifest.is_file() else 1


def training_summary(run: Path) -> dict[str, str | int | float]:
    """What is known of a run, flat: its finished steps, or the ``.json`` beside a weights file."""
    if run.is_file():
        note = run.with_suffix('.json')
        said = json.loads(note.read_text()) if note.is_file() else {}
        return {
            k: v if isinstance(v, str | int | float) else json.dumps(v) for k, v in said.items()
        }
    summary: dict[str, str | int | float] = {}
    for path in sorted(run.glob('*.done'), key=lambda p: p.stat().st_mtime):
        note = json.loads(path.read_text())
        kept = {
            k: v for k, v in note.items() if k in ('do', 'seeds', 'data', 'minutes', 'threads')
        }
        summary[path.stem] = json.dumps(kept)
    return summary


def _needed(run: Path, file: Path) -> list[Path]:
    from alpamayo_ros.runtime.registry import TEXT_FILES

    return [file] if run.is_file() else [file, *(run / name for name in TEXT_FILES)]


def _write_text_files(run: Path, profile: ModelProfile, folder: Path) -> None:
    """Tokenizer and grammar: the run's own, or for a bare weights file those of the profile."""
    from alpamayo_ros.runtime.registry import TEXT_FILES
    from alpamayo_ros.training.vocabulary import build_vocabulary, write_vocabulary

    if run.is_file():
        write_vocabulary(build_vocabulary(profile), folder)
        return
    for name in TEXT_FILES:
        shutil.copyfile(run / name, folder / name)


@app.callback(invoke_without_command=True)
def export(
    run: Annotated[
        Path, typer.Argument(help='Run folder of alpamayo train, or a .safetensors file.')
    ] = Path('runs/nano'),
    to: Annotated[
        Path | None, typer.Option(help='Folder to write; default: models/PROFILE.')
    ] = None,
    profile: ProfileOption = 'nano',
    weights: Annotated[
        str, typer.Option(help='Weights file in the run folder.')
    ] = 'model.safetensors',
    version: Annotated[str, typer.Option(help='Version to write into the manifest.')] = '0.1.0',
) -> None:
    """Round to float16, write safetensors and ONNX, a golden answer and the manifest.

    A weights file gets the vocabulary of the profile; FILE.json beside it says what trained it.

    Example: alpamayo export runs/nano --to models/nano
    """
    from rich.console import Console
    from safetensors import SafetensorError

    from alpamayo_ros.export.model_folder import export_model
    from alpamayo_ros.faults import Fault
    from alpamayo_ros.model.vla import VLA
    from alpamayo_ros.runtime.loader import model_dir
    from alpamayo_ros.training.checkpoint import load_weights

    file = run if run.is_file() else run / weights
    absent = [str(path) for path in _needed(run, file) if not path.is_file()]
    if absent:
        stop(f'no {", ".join(absent)}: alpamayo train run --root {run} writes them')
    loaded = profile_of(profile)
    model = VLA(loaded)
    try:
        load_weights(file, model)
    except (RuntimeError, SafetensorError) as error:
        stop(f'{file} does not fit the profile {loaded.name}: {error}')
    folder = to if to is not None else model_dir(loaded)
    release = _next_release(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _write_text_files(run, loaded, folder)
    console = Console()
    with console.status('export') as status:
        progress = lambda name: status.update(f'writing {name}')  # noqa: E731
        manifest = export_model(model, folder, version, release, training_summary(run), progress)
    if isinstance(manifest, Fault):
        stop(manifest)
    size = sum(entry.bytes for entry in manifest.files)
    for entry in manifest.files:
        typer.echo(f'{entry.bytes / 1e6:7.2f} MB  {entry.name}')
    typer.echo(f'{size / 1e6:7.2f} MB  in all, release {release}, {folder}')
    if size > SIZE_LIMIT:
        stop(f'a model may take {SIZE_LIMIT / 1e6:.0f} MB')
