"""``alpamayo train stream``: what was typed as settings, then the run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import typer
from safetensors import SafetensorError, safe_open

from alpamayo_ros.cli.choices import profile_of
from alpamayo_ros.cli.training.recipes import find_recipe
from alpamayo_ros.statuses import ConfigError, Status
from alpamayo_ros.training.json_file import read_json
from alpamayo_ros.training.stream.children import ChildError
from alpamayo_ros.training.stream.lock import lock
from alpamayo_ros.training.stream.run import StreamRun, check_profile
from alpamayo_ros.training.stream.settings import Settings

# Where a run does not say.
BEGUN_WITH = {'views': 'trained', 'stage': 'dagger', 'quantise': 'none'}
WEIGHTS = ('model.safetensors', 'weights.safetensors')


def stream(
    recipe: str, root: Path, begin: Path | None, tensorboard: bool, **changes: str | float | None
) -> None:
    """Train; ``begin``: weights to start from; ``changes``: keys of the recipe, None: as it is."""
    began = _started()
    settings = settings_of(recipe, {k: v for k, v in changes.items() if v is not None})
    profile = profile_of(settings.profile)
    refused = check_profile(profile)
    if refused:
        raise typer.BadParameter(refused)
    if settings.views == 'blocks' and profile.vision.trunk == 'vit':
        raise typer.BadParameter(f'{profile.name} has no convolutional stem, which views: blocks '
                                 'leaves as it is; say trained or frozen')  # fmt: skip
    _check_root(settings, begin, root)
    weights, extra = None if begin is None else weights_of(begin), _writer(root, tensorboard)
    if settings.stage == 'sft' and settings.own_words:
        typer.echo(f'note: own_words {settings.own_words:g} has no effect in stage sft, in which '
                   'the policy drives nothing', err=True)  # fmt: skip
    new = not root.exists()
    try:
        held = lock(root)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    try:
        opened = StreamRun(root, settings, weights, began, extra)
        if opened.clock.over:
            said = f'{root} has used its {settings.seconds:.0f} s: give it more by --seconds'
            raise typer.BadParameter(said)
        line = opened.run()
    except ChildError as error:
        typer.echo(f'alpamayo train stream: {error}', err=True)
        raise typer.Exit(Status.ENVIRONMENT) from None
    except RuntimeError as error:
        if weights is None or 'state_dict' not in str(error):
            raise
        first = ' '.join(str(error).split())[:200]  # torch lists every tensor
        raise typer.BadParameter(f'{weights} does not fit {settings.profile}: {first}') from None
    finally:
        held.unlink(missing_ok=True)
        if new and not any(root.iterdir()):
            root.rmdir()
    if not line:
        typer.echo(f'alpamayo train stream: no sample came in; see {root}/rank_0/*.log', err=True)
        raise typer.Exit(Status.ENVIRONMENT)
    typer.echo(f'{root / WEIGHTS[0]}; alpamayo export {root} --to FOLDER makes a model of it')


def _started() -> float:
    """``time.monotonic`` at which this process began: imports count as well."""
    words = Path('/proc/self/stat').read_text().rpartition(')')[2].split()
    since_boot_s = int(words[19]) / os.sysconf('SC_CLK_TCK')
    return time.monotonic() - (time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot_s)


def _check_root(settings: Settings, begin: Path | None, root: Path) -> None:
    """typer.BadParameter where frozen views have learnt nothing, or a run began otherwise."""
    if (root / 'data').is_dir() and not (root / 'rank_0').is_dir():
        raise typer.BadParameter(f'{root} is a run of steps (it has data/); a stream would write '
                                 'over its weights: name another --root')  # fmt: skip
    if not (root / 'counters.json').is_file():
        if settings.views != 'trained' and begin is None:
            raise typer.BadParameter(f'views: {settings.views} needs views that see: --from a '
                                     'model, such as --from models/nano')  # fmt: skip
        return
    before = read_json(root / 'rank_0' / 'settings.json')
    for key, usual in BEGUN_WITH.items():
        then, now = before.get(key, usual), getattr(settings, key)
        if then != now:
            raise typer.BadParameter(f'{root} was begun with {key}: {then}, this says {now}; '
                                     'go on with its own, or name another --root')  # fmt: skip


def settings_of(recipe: str, changes: dict[str, Any]) -> Settings:
    """The numbers of a recipe by name or path; typer.BadParameter says what is wrong."""
    try:
        return Settings.from_file(find_recipe('stream', recipe), **changes)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from None


def weights_of(begin: Path) -> Path:
    """The weights file itself, or that of a model's or run's folder."""
    found = [begin, *(begin / name for name in WEIGHTS)]
    for file in found:
        if file.is_file():
            return _readable(file)
    raise typer.BadParameter(f'{begin}: no weights there; expected a folder with one of '
                             f'{", ".join(WEIGHTS)}, or a .safetensors file')  # fmt: skip


def _readable(file: Path) -> Path:
    try:
        with safe_open(file, 'pt'):
            return file
    except SafetensorError as error:
        said = f'{file} holds no weights ({error}); expected a .safetensors file'
        raise typer.BadParameter(said) from None


def _writer(root: Path, tensorboard: bool) -> Callable[[int, dict[str, Any]], None]:
    """What is done with every line of the curve besides writing it."""
    if not tensorboard:
        return lambda step, line: None
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        said = '--tensorboard: it is not installed; type: pip install tensorboard'
        raise typer.BadParameter(said) from None
    opened = lru_cache(maxsize=1)(lambda: SummaryWriter(root / 'tensorboard'))

    def write(step: int, line: dict[str, Any]) -> None:
        writer = opened()  # with the first line: a run that cannot begin leaves nothing
        for name, value in line.items():
            if isinstance(value, int | float):
                writer.add_scalar(name, value, step)
        writer.flush()

    return write
