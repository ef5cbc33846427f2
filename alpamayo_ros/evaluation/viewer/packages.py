"""Where rerun-sdk is found: beside this package, or in a folder that only the viewer reads.

Measured with libsumo 1.28: wherever pyarrow is *installed* beside it, imported or not, every
``import libsumo`` prints two lines of warning on standard output, into the JSON of every
simulation.  rerun-sdk needs pyarrow, so both live in ``FOLDER``, which is put on ``sys.path`` in
the viewer's process alone.  Without them ``./run setup`` stays small: they take 671 MB.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from alpamayo_ros.profile import share_dir

INSTALL = 'alpamayo view --install'


class MissingError(Exception):
    """The viewer's packages are not here; the text says what to type."""


def folder() -> Path:
    """In the virtual environment, or in the user's data folder where there is none."""
    if sys.prefix != sys.base_prefix:
        return Path(sys.prefix) / 'view'
    data = os.environ.get('XDG_DATA_HOME') or str(Path.home() / '.local' / 'share')
    return Path(data) / 'alpamayo_ros' / 'view'


def load() -> Any:
    """The module ``rerun``; MissingError where it is not installed."""
    quiet()
    if importlib.util.find_spec('rerun') is None:
        place = str(folder())
        if place not in sys.path:
            sys.path.append(place)
        importlib.invalidate_caches()
    try:
        return importlib.import_module('rerun')
    except ImportError as error:
        raise MissingError(
            f'the viewer (rerun-sdk) is not installed ({error}). It takes 225 MB to download and '
            f'671 MB on disk; type: {INSTALL}'
        ) from error


def binary() -> Path:
    """The program of the rerun-sdk wheel that serves the page."""
    load()
    spec = importlib.util.find_spec('rerun_cli')
    found = [] if spec is None else list(spec.submodule_search_locations or [])
    path = Path(found[0]) / 'rerun' if found else Path('rerun')
    if not path.is_file():
        raise MissingError(f'{path} is missing: the viewer is damaged; type: {INSTALL}')
    return path


def quiet() -> None:
    """Nothing is reported to anybody: rerun's usage statistics are off in this process and its
    children.
    """
    config = folder() / 'config'
    file = config / 'rerun' / 'analytics.json'
    if not file.is_file() and folder().is_dir():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            '{"analytics_enabled":false,"analytics_id":"","metadata":{}}\n', encoding='utf-8'
        )
    os.environ['XDG_CONFIG_HOME'] = str(config)
    os.environ['RERUN_ANALYTICS'] = 'off'


def install() -> int:
    """Install or update the packages; pip's exit status."""
    command = [sys.executable, '-m', 'pip', 'install', '--no-deps', '--upgrade', '--target']
    command += [str(folder()), '-r', str(requirements())]
    return subprocess.run(command, check=False).returncode


def requirements() -> Path:
    """The pinned list."""
    return share_dir() / 'requirements' / 'view.txt'
