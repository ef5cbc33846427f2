"""``alpamayo model verify`` and ``sign``: is it what was exported, and who vouches for it."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path
from typing import Annotated

import typer

from alpamayo_ros.bags.whole_file import write_whole
from alpamayo_ros.cli.choices import profile_of
from alpamayo_ros.cli.models.stopping import stop, stop_at_bare_weights
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.runtime.loader import model_dir
from alpamayo_ros.runtime.manifest import MANIFEST, ModelFiles, check_profile, read_model
from alpamayo_ros.runtime.registry import GRAPHS, TEXT_FILES, WEIGHTS
from alpamayo_ros.runtime.signature import MAX_KEY, SIGNATURE, trusted_texts
from alpamayo_ros.security import signing
from alpamayo_ros.units import counted


def verify(
    folder: Annotated[
        Path | None,
        typer.Argument(help='Model folder; default: the one that ships for the profile.'),
    ] = None,
    profile: Annotated[str, typer.Option(help='A profile by name, or a .yaml path.')] = 'nano',
    trusted_keys: Annotated[
        Path | None,
        typer.Option(help='A public key, or a folder of *.pub, one of which has to have signed.'),
    ] = None,
) -> None:
    """Hash every file against the manifest and compare the profile; exit 5 on any difference.

    Example: alpamayo model verify models/nano
    """
    loaded = profile_of(profile)
    if trusted_keys is not None and not signing.missing():
        _check_keys(trusted_keys)
    files = _whole(folder if folder is not None else model_dir(loaded), trusted_keys)
    fault = check_profile(files, loaded)
    if fault is not None:
        stop(fault)
    size = sum(map(len, files.data.values())) / 1e6
    held = f'{counted(len(files.data), "file")}, {size:.1f} MB'
    typer.echo(f'{files.folder}: {held}, as listed in {files.sha256[:16]}')
    if trusted_keys is not None:
        return typer.echo(f'A key of {trusted_keys} signed the manifest.')
    typer.echo('No signature was asked for: this finds damage and mix-ups, not a forger.')
    typer.echo('With --trusted-keys it finds a forger, too.')


def sign(
    folder: Annotated[
        Path, typer.Argument(help='Model folder; all its files are verified first.')
    ],
    key: Annotated[Path, typer.Option(help='Private key that alpamayo key init made.')],
) -> None:
    """Sign the manifest of a model: writes manifest.sig beside it.

    Example: alpamayo model sign models/mine --key model_signing.pem
    """
    if signing.missing():
        stop(Fault(Code.MODEL_PROVIDER, signing.MISSING))
    private = _private_key(key)
    files = _whole(folder)
    signature = signing.sign(private, files.text)  # the very bytes that were verified
    write_whole(folder / SIGNATURE, signature)
    typer.echo(f'{folder / SIGNATURE}: vouches for {counted(len(files.manifest.files), "file")}')


def _check_keys(trusted: Path) -> None:
    """The end of the command where what is to be trusted is no public key."""
    keys = trusted_texts(trusted)
    if isinstance(keys, Fault):
        raise typer.BadParameter(keys.message)
    for path, text in keys.items():
        try:
            signing.public_key(text)
        except ValueError as error:
            raise typer.BadParameter(f'--trusted-keys: {path}: {error}') from error


def _whole(folder: Path, trusted: Path | None = None) -> ModelFiles:
    """The files of a model that lacks none, verified; else the command ends."""
    stop_at_bare_weights(folder)
    files = read_model(folder, trusted=trusted)
    if isinstance(files, Fault):
        stop(files)
    graphs = GRAPHS if any(name in files.data for name in GRAPHS) else ()
    lacking = [name for name in (*TEXT_FILES, *graphs) if name not in files.data]
    if not graphs and WEIGHTS not in files.data:
        lacking.append(f'{WEIGHTS} or {GRAPHS[0]}')
    if lacking:
        said = f'{folder / MANIFEST} lists no {", ".join(lacking)}: without them it is no model'
        stop(Fault(Code.MODEL_FORMAT, said))
    return files


def _private_key(path: Path) -> bytes:
    """The bytes of a private key that nobody but its owner can read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        stop(f'--key {path}: {error.strerror}; alpamayo key init makes one')
    with os.fdopen(descriptor, 'rb', closefd=True) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            stop(f'--key {path} is no plain file; alpamayo key init makes one')
        data = file.read(MAX_KEY + 1)
    if len(data) > MAX_KEY:
        stop(f'--key {path}: longer than the {MAX_KEY} bytes of a private key')
    try:
        signing.sign(data, b'')
    except ValueError as error:
        stop(f'--key {path}: {error}; alpamayo key init makes one')
    if status.st_mode & 0o077:
        stop(f'--key {path} can be read by others: chmod 600 {shlex.quote(str(path))}')
    return data
