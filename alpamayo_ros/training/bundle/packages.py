"""Wheels and libraries of a bundle, downloaded in the releases that are installed here."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from alpamayo_ros.training.bundle.slim import slim

WHEELS = (
    'moderngl', 'glcontext', 'pydantic', 'pydantic-core', 'annotated-types', 'typing-inspection',
    'typing-extensions', 'safetensors', 'jaxtyping', 'wadler-lindig', 'PyYAML', 'typer', 'click',
    'rich', 'markdown-it-py', 'mdurl', 'pygments', 'shellingham', 'annotated-doc', 'shapely',
    'tokenizers', 'simplejpeg',
)  # fmt: skip
TOWNS = ('libsumo', 'sumolib', 'traci')
LIBRARIES = ('libegl1', 'libglvnd0', 'libopengl0', 'libgl1', 'libglx0', 'libgles2')
PLATFORMS = ('manylinux_2_28_x86_64', 'manylinux_2_17_x86_64', 'manylinux2014_x86_64')
PATIENCE_S = 300.0


class BundleError(RuntimeError):
    """A bundle cannot be made; the text says what to do."""


def download_wheels(folder: Path, python: str, names: tuple[str, ...] = WHEELS) -> None:
    """Wheels for CPython ``python`` ('3.12') on Linux x86-64, by pip."""
    folder = folder.resolve()  # pip runs inside it
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, '-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:',
        '--implementation', 'cp', '--python-version', python, '--dest', str(folder),
    ]  # fmt: skip
    for platform in PLATFORMS:
        command += ['--platform', platform]
    _run([*command, *map(_pinned, names)], folder, 'pip could not download the wheels')


def _pinned(name: str) -> str:
    try:
        return f'{name}=={version(name)}'
    except PackageNotFoundError:
        raise BundleError(f'{name} is not installed here: ./run setup installs it') from None


def download_towns(archive: Path, python: str) -> None:
    """SUMO as a small archive: libsumo without what no drive calls, sumolib and traci."""
    with tempfile.TemporaryDirectory() as made:
        folder, site = Path(made), Path(made) / 'site'
        download_wheels(folder / 'wheels', python, TOWNS)
        for wheel in (folder / 'wheels').iterdir():
            shutil.unpack_archive(wheel, site, 'zip')
        try:
            slim(site)
        except (OSError, subprocess.CalledProcessError) as error:
            said = (
                'libsumo could not be made small; it needs gcc, readelf and strip, or --no-towns'
            )
            raise BundleError(f'{said}: {error}') from None
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive, 'w:xz') as packed:
            for name in ('libsumo', 'libsumo.libs', 'sumolib', 'traci'):
                packed.add(site / name, name)


def download_libraries(folder: Path) -> None:
    """Debian packages of the GL dispatch library, which a GPU machine may lack."""
    folder.mkdir(parents=True, exist_ok=True)
    said = 'apt-get could not download the GL libraries (apt-get update first, or --no-libraries)'
    _run(['apt-get', 'download', *LIBRARIES], folder, said)


def _run(command: list[str], folder: Path, wrong: str) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BundleError(f'{wrong}: {error}') from None
    if done.returncode:
        raise BundleError(f'{wrong}: {" ".join(done.stderr.split()[-40:])}')
