"""Where rerun-sdk is found: beside this package, or in a folder that only the viewer reads.

Measured with libsumo 1.28: wherever pyarrow is *installed* beside it, imported or not, every
``import libsumo`` prints two lines of warning on standard output, into the JSON of every
simulation.  rerun-sdk needs pyarrow, so both live in ``environment.apart_folder``, which is put
on ``sys.path`` in the viewer's process alone.  Without them ``./run setup`` stays small: they take
671 MB.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from alpamayo_ros.environment import apart_folder
from alpamayo_ros.profile import share_dir

TO_INSTALL = (
    'the viewer (rerun-sdk) is not installed; it takes 225 MB to download and 671 MB on disk. '
    'Type: alpamayo view --install'
)


class MissingError(Exception):
    """The viewer's packages are not here; the text says what to type."""


def load() -> Any:
    """The module ``rerun``; MissingError where it is not installed."""
    place = str(apart_folder())
    if importlib.util.find_spec('rerun') is None and place not in sys.path:
        sys.path.append(place)
        importlib.invalidate_caches()
    try:
        return importlib.import_module('rerun')
    except ImportError as error:
        raise MissingError(f'{TO_INSTALL} ({error})') from error


def binary() -> Path:
    """The program of the rerun-sdk wheel that serves the page; nothing is imported."""
    spec = PathFinder.find_spec('rerun_cli', [*sys.path, str(apart_folder())])
    places = [] if spec is None else list(spec.submodule_search_locations or [])
    path = Path(places[0]) / 'rerun' if places else Path()
    if not path.is_file():
        raise MissingError(TO_INSTALL)
    return path


def environment(program: Path) -> dict[str, str]:
    """Of ``program``, which would report its use to its makers; it is told not to.

    RERUN_ANALYTICS is not heeded (0.41); the SDK in this process reports nothing.
    """
    home = str(apart_folder() / 'home')
    env = {**os.environ, 'XDG_CONFIG_HOME': home, 'XDG_DATA_HOME': home}
    if not silent():
        command = [str(program), 'analytics', 'disable']
        subprocess.run(command, env=env, capture_output=True, timeout=30, check=False)
    return env


def silent() -> bool:
    """Whether the program was told not to report."""
    file = apart_folder() / 'home' / 'rerun' / 'analytics.json'
    return file.is_file() and '"analytics_enabled":false' in file.read_text()


def install() -> int:
    """Install or update the packages; pip's exit status."""
    command = [sys.executable, '-m', 'pip', 'install', '--no-deps', '--upgrade', '--target']
    command += [str(apart_folder()), '-r', str(requirements())]
    return subprocess.run(command, check=False).returncode


def requirements() -> Path:
    """The pinned list."""
    return share_dir() / 'requirements' / 'view.txt'
