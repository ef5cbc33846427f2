"""``alpamayo key``: the pair of keys that signs models."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from alpamayo_ros.cli.models.stopping import stop
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.runtime.manifest import MANIFEST
from alpamayo_ros.runtime.signature import PUBLIC_SUFFIX
from alpamayo_ros.security import signing
from alpamayo_ros.statuses import MachineError

HELP = """Make the pair of keys that signs models: the private one stays with its owner.

Examples: alpamayo key init, then alpamayo model sign FOLDER --key FILE
"""
app = typer.Typer(no_args_is_help=True, add_completion=False, help=HELP)
PRIVATE = 'model_signing.pem'


@app.callback()
def key() -> None:
    """Keys that sign models: the private one stays with its owner, the other is given away."""


def default_folder() -> Path:
    """``$XDG_CONFIG_HOME/alpamayo_ros/keys``."""
    config = os.environ.get('XDG_CONFIG_HOME') or str(Path.home() / '.config')
    return Path(config) / 'alpamayo_ros' / 'keys'


@app.command()
def init(
    to: Annotated[
        Path | None, typer.Option(help='Folder; default: ~/.config/alpamayo_ros/keys.')
    ] = None,
) -> None:
    """Make a private key (for this user alone) and its public key; nothing is overwritten.

    Example: alpamayo key init
    """
    if signing.missing():
        stop(Fault(Code.MODEL_PROVIDER, signing.MISSING))
    folder = (to or default_folder()).resolve()
    if folder.exists() and not folder.is_dir():
        stop(f'{folder} is a file; expected a folder for the keys')
    for place in (folder, *folder.parents):
        if (place / '.git').exists() or (place / MANIFEST).exists():
            kind = 'a repository' if (place / '.git').exists() else 'the folder of a model'
            stop(f'{folder} lies in {kind} ({place}), and a private key must not: choose --to')
    private, public = folder / PRIVATE, folder / PRIVATE.replace('.pem', PUBLIC_SUFFIX)
    for path in (private, public):
        if path.is_symlink() or path.exists():
            stop(f'{path} is there already; choose another folder with --to')
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    contents = signing.new_pair()
    _write({private: (contents[0], 0o600), public: (contents[1], 0o644)})
    sign = f'alpamayo model sign FOLDER --key {shlex.quote(str(private))}'
    typer.echo(f'{private}: private, sign with it: {sign}')
    typer.echo(f'{public}: public, the value of trusted_keys on the machines that drive')


def _write(files: dict[Path, tuple[bytes, int]]) -> None:
    """Write all, contents with their modes, or none."""
    made: list[Path] = []
    try:
        for path, (data, mode) in files.items():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
            made.append(path)
            with os.fdopen(descriptor, 'wb') as file:
                file.write(data)
    except OSError as error:
        for half in made:
            half.unlink()
        raise MachineError(f'{path}: {error.strerror}; no key was made') from error
