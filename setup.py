"""Pip build: drives the same CMakeLists.txt that colcon uses, then packs what it installed.

Message generation is the dear part (about a minute of CPU), so its result is kept under build/ and
used again while its inputs (msg/, CMakeLists.txt, package.xml, tools/, the generators' versions)
are unchanged.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

try:
    from setuptools.command.editable_wheel import editable_wheel
except ImportError:  # setuptools < 64 (Ubuntu 22.04) has no PEP 660
    editable_wheel = None

NAME = 'alpamayo_ros'
HERE = Path(__file__).resolve().parent
VERSION = re.search(r'<version>(.*?)</version>', (HERE / 'package.xml').read_text()).group(1)
BUILD = HERE / 'build' / f'pip-{sys.implementation.cache_tag}'
STAGE = BUILD / 'stage'


def requirements(name: str) -> list[str]:
    """The pinned lines of ``requirements/<name>.txt``, without comments and ``-r`` lines."""
    lines = (HERE / 'requirements' / f'{name}.txt').read_text().splitlines()
    kept = [line.split(' #')[0].strip() for line in lines]
    return [line for line in kept if line and not line.startswith(('#', '-r'))]


def prefixes() -> tuple[list[str], bool]:
    """Where ROS is: the sourced workspaces, or this interpreter's ``ros-*`` wheels.

    The second value is True for wheels.
    """
    sourced = [p for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    if sourced and sourced != [sys.prefix]:
        return sourced, False
    wheels = {str(Path(p).parents[2]) for p in sys.path if (Path(p) / 'ament_package').is_dir()}
    if not wheels:
        raise SystemExit(
            'expected a sourced ROS 2 or the ros-* wheels and found neither; '
            'type ./run setup (wheels) or source /opt/ros/<distro>/setup.bash and use colcon build'
        )
    return sorted(wheels), True


def toolchain(where: list[str]) -> str:
    """What the generators are and the names they generate for; another one means a clean build."""
    generators = sorted(
        f'{d.metadata["Name"]}=={d.version}'
        for d in metadata.distributions()
        if 'rosidl' in (d.metadata['Name'] or '')
    )
    names = sorted(path.name for path in HERE.glob('msg/*.msg'))
    return repr((sys.version_info[:3], where, str(HERE), generators, names))


def inputs_hash() -> str:
    """SHA-256 of the files that decide what CMake builds."""
    files = [*HERE.glob('msg/*.msg'), *HERE.glob('tools/*.cmake'), HERE / 'tools' / 'node.in']
    digest = hashlib.sha256()
    for path in sorted([*files, HERE / 'CMakeLists.txt', HERE / 'package.xml']):
        digest.update(path.name.encode() + b'\0' + path.read_bytes())
    return digest.hexdigest()


def cmake_build(where: list[str], wheels: bool) -> None:
    """Configure and compile the interfaces in BUILD: all, what changed, or nothing."""
    stamp, tools, wanted = BUILD / 'inputs.sha256', BUILD / 'toolchain.txt', toolchain(where)
    if not tools.is_file() or tools.read_text() != wanted:
        shutil.rmtree(BUILD, ignore_errors=True)
        BUILD.mkdir(parents=True)
        (BUILD.parent / 'COLCON_IGNORE').touch()  # the staged package.xml is not a second package
        tools.write_text(wanted)
    inputs = inputs_hash()
    if stamp.is_file() and stamp.read_text() == inputs:
        print(f'{NAME}: the generated message code in {BUILD.relative_to(HERE)} is up to date')
        return
    paths = os.pathsep.join(where)
    env = dict(os.environ, AMENT_PREFIX_PATH=paths, CMAKE_PREFIX_PATH=paths)
    jobs = os.environ.get('MAX_JOBS', str(os.cpu_count() or 1))
    subprocess.run(configure_command(wheels), check=True, env=env)
    subprocess.run(['cmake', '--build', str(BUILD), '-j', jobs], check=True, env=env)
    stamp.write_text(inputs)


def configure_command(wheels: bool) -> list[str]:
    """CMake's first call; the wheels need ``tools/ros_wheels.cmake`` besides."""
    definitions = {
        'CMAKE_INSTALL_PREFIX': STAGE,
        'Python3_EXECUTABLE': sys.executable,
        'BUILD_TESTING': 'OFF',
        'CMAKE_BUILD_TYPE': 'Release',
        'CMAKE_INSTALL_RPATH': '$ORIGIN:$ORIGIN/../../..',
    }
    if wheels:
        definitions['CMAKE_PROJECT_INCLUDE'] = HERE / 'tools' / 'ros_wheels.cmake'
    return ['cmake', '-S', str(HERE), '-B', str(BUILD)] + [
        f'-D{name}={value}' for name, value in definitions.items()
    ]


def stage() -> Path:
    """The package as CMake installs it, in a folder of its own."""
    cmake_build(*prefixes())
    shutil.rmtree(STAGE, ignore_errors=True)
    subprocess.run(['cmake', '--install', str(BUILD)], check=True, stdout=subprocess.DEVNULL)
    return STAGE


class BuildInterfaces(build_ext):
    """Run CMake and rosidl and merge the result into the Python build."""

    def run(self) -> None:
        staged = stage()
        generated = next(staged.glob(f'**/{NAME}/msg/__init__.py')).parent.parent
        target = (HERE if self.editable_mode or self.inplace else Path(self.build_lib)) / NAME
        target.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target / 'msg', ignore_errors=True)
        shutil.copytree(
            generated / 'msg', target / 'msg', ignore=shutil.ignore_patterns('*.c', '__pycache__')
        )
        for library in generated.glob('*.so'):
            shutil.copy2(library, target / library.name)
        self.distribution.data_files = self.data_files(staged)

    @staticmethod
    def data_files(staged: Path) -> list[tuple[str, list[str]]]:
        """Libraries, executables and share files, by the folder of the prefix they belong in."""
        files: dict[str, list[str]] = {}
        for path in sorted([*(staged / 'lib').rglob('*'), *(staged / 'share').rglob('*')]):
            inside = path.relative_to(staged)
            if path.is_file() and not {'site-packages', 'dist-packages'} & set(inside.parts):
                files.setdefault(str(inside.parent), []).append(os.path.relpath(path, HERE))
        return list(files.items())


commands: dict[str, type] = {'build_ext': BuildInterfaces}
if editable_wheel:

    class EditableWheel(editable_wheel):
        """Also installs the data files.

        Upstream asks for ``has_data``, which no Distribution has.
        """

        def _run_install(self, category: str) -> None:
            if category == 'data' and self.distribution.has_data_files():
                self.run_command('install_data')
            else:
                super()._run_install(category)

    commands['editable_wheel'] = EditableWheel

setup(
    name=NAME,
    version=VERSION,
    description='A reasoning vision-language-action driver as a ROS 2 package',
    license='Apache-2.0',
    packages=find_packages(include=[NAME, NAME + '.*']),
    package_data={NAME: ['py.typed', '**/*.j2', '**/*.glsl']},
    ext_modules=[
        Extension(f'{NAME}._interfaces', [])
    ],  # marks the wheel as specific to a platform
    cmdclass=commands,
    python_requires='>=3.11',
    zip_safe=False,
    install_requires=requirements('core'),
    extras_require={
        name: requirements(name)
        for name in ('ros', 'sim', 'train', 'ray', 'view', 'alpasim', 'test')
    },
    entry_points={'console_scripts': ['alpamayo = alpamayo_ros.__main__:main']},
)
