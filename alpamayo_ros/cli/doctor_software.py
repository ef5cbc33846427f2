"""Checks of ``alpamayo doctor`` about software: Python, ROS 2, messages, models, extras."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from alpamayo_ros import environment
from alpamayo_ros.cli.finding import Check, Finding, Level
from alpamayo_ros.profile import profile_names, share_dir
from alpamayo_ros.runtime import registry
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.units import counted

if TYPE_CHECKING:
    from alpamayo_ros.faults import Fault
    from alpamayo_ros.profile import ModelProfile

OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL
SETUP = './run setup'


def installed(module: str) -> bool:
    """Whether a module can be imported, found without importing it."""
    return importlib.util.find_spec(module) is not None


def version_of(package: str) -> str:
    """Version of an installed package, or '' when it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ''


def python() -> Iterator[Finding]:
    """The interpreter is one that the pinned requirements exist for."""
    good = (3, 11) <= sys.version_info[:2] <= (3, 12)
    text = f'Python {platform.python_version()} in {sys.prefix}'
    remedy = '' if good else 'PYTHON=python3.12 ./run setup (3.11 and 3.12 are tested)'
    yield Finding('python', OK if good else WARN, text, remedy)


def ros() -> Iterator[Finding]:
    """Exactly one ROS 2: a sourced distribution, or the wheels."""
    distro, wheels = environment.distribution(), version_of('ros-rclpy')
    if distro and wheels:
        text = f'ROS 2 {distro} is sourced and the wheels (rclpy {wheels}) are installed too'
        yield Finding('ros', FAIL, text, 'use a shell in which no setup.bash was sourced')
    elif distro:
        found = installed('rclpy')
        yield Finding(
            'ros',
            OK if found else FAIL,
            f'ROS 2 {distro}' + ('' if found else ', but rclpy cannot be imported'),
            '' if found else f'source /opt/ros/{distro}/setup.bash in this shell',
        )
    elif wheels:
        yield Finding('ros', OK, f'ROS 2 wheels, rclpy {wheels} (no distribution is sourced)')
    else:
        yield Finding('ros', FAIL, 'neither a sourced ROS 2 nor the wheels', SETUP)


def messages() -> Iterator[Finding]:
    """Every .msg file is compiled, with the fields it has today."""
    folder = share_dir() / 'msg'
    files = sorted(folder.glob('*.msg'))
    try:
        module = importlib.import_module('alpamayo_ros.msg')
    except ImportError as error:
        yield Finding('messages', FAIL, f'alpamayo_ros.msg cannot be imported: {error}', SETUP)
        return
    stale = [f.stem for f in files if compiled_fields(module, f.stem) != declared_fields(f)]
    if stale:
        text = f'{", ".join(stale)}: the compiled message differs from its .msg file'
        yield Finding('messages', FAIL, text, SETUP)
    else:
        yield Finding('messages', OK, f'{len(files)} messages compiled, as in {folder}')


def declared_fields(file: Path) -> list[str]:
    """Names of the fields (not the constants) in a .msg file, in order."""
    lines = [line.split('#')[0].strip() for line in file.read_text().splitlines()]
    return [line.split()[1] for line in lines if line and '=' not in line]


def compiled_fields(module: object, name: str) -> list[str]:
    """Names of the fields of a compiled message, [] when there is no such message."""
    message = getattr(module, name, None)
    return list(message.get_fields_and_field_types()) if message else []


def middleware() -> Iterator[Finding]:
    """Fast DDS is the middleware, with the profile for large images."""
    chosen = os.environ.get('RMW_IMPLEMENTATION', 'rmw_fastrtps_cpp')
    if chosen != 'rmw_fastrtps_cpp':
        text = f'RMW_IMPLEMENTATION is {chosen}; large images were measured with Fast DDS only'
        yield Finding('middleware', WARN, text, 'unset RMW_IMPLEMENTATION')
    profile = next((os.environ[n] for n in environment.FAST_DDS if os.environ.get(n)), '')
    if not profile or not Path(profile).is_file():
        text = f'no Fast DDS profile is in force ({profile or "none set"}): images will be lost'
        remedy = f'export {environment.FAST_DDS[0]}={share_dir() / environment.DDS_PROFILE}'
        yield Finding('middleware', FAIL, text, remedy)
        return
    ours = Path(profile).resolve() == (share_dir() / environment.DDS_PROFILE).resolve()
    remedy = '' if ours else f'unset {" ".join(environment.FAST_DDS)} (64 MiB segments are needed)'
    yield Finding('middleware', OK if ours else WARN, f'{chosen}, profile {profile}', remedy)
    yield from _domain()


def _domain() -> Iterator[Finding]:
    """Which nodes are heard."""
    from alpamayo_ros.environment import check_domain
    from alpamayo_ros.statuses import ConfigError

    try:
        check_domain()
    except ConfigError as error:
        yield Finding('middleware', FAIL, *str(error).split('; for example: '))
        return
    reach = os.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SUBNET')
    domain = os.environ.get('ROS_DOMAIN_ID', '0')
    yield Finding('middleware', OK, f'discovery range {reach}, domain {domain}')


def inference() -> Iterator[Finding]:
    """ONNX Runtime, its providers, and what of TensorRT and torch is here."""
    if not installed('onnxruntime'):
        yield Finding('inference', FAIL, 'onnxruntime is not installed', SETUP)
        return
    import onnxruntime

    providers = ', '.join(onnxruntime.get_available_providers())
    yield Finding('inference', OK, f'onnxruntime {onnxruntime.__version__}: {providers}')
    engines = [p for p in ('tensorrt', 'tensorrt-rtx-cu12', 'tensorrt-rtx') if version_of(p)]
    found = ', '.join(f'{p} {version_of(p)}' for p in engines) or 'not installed (optional)'
    yield Finding('inference', OK, f'TensorRT: {found}')
    for entry in registry.RUNTIMES:
        stands = entry.obstacle() if entry.installed and entry.obstacle else None
        state = 'ready' if stands is None else f'not here: {stands.message}'
        if not entry.installed:
            state = f'needs {entry.package}: {entry.install} (optional)'
        if entry.vendor is not None:
            state = adopted(entry.vendor)
        yield Finding('inference', OK, f'runtime {entry.name}: {state} ({entry.summary})')


def adopted(ready: Callable[[ModelProfile, Path | None], Fault | None]) -> str:
    """Profiles of released models whose checkpoint this user has adopted."""
    from alpamayo_ros.profile import load_profile, released_names

    here = [name for name in released_names() if ready(load_profile(name), None) is None]
    return f'ready for {", ".join(here)}' if here else 'no checkpoint was adopted (optional)'


def models() -> Iterator[Finding]:
    """Every model that ships: all files have the hash that the manifest states."""
    folders = sorted(p.parent for p in (share_dir() / 'models').glob('*/manifest.json'))
    yield Finding('models', OK, f'profiles: {", ".join(profile_names())}')
    if not folders:
        text = f'no model in {share_dir() / "models"}'
        yield Finding('models', FAIL, text, 'clone the repository again, with its models/ folder')
    for folder in folders:
        yield model(folder)
    yield signatures()


def model(folder: Path) -> Finding:
    """One model folder, verified as the planner verifies it."""
    from alpamayo_ros.faults import Fault
    from alpamayo_ros.runtime.manifest import read_model

    files = read_model(folder)
    if isinstance(files, Fault):
        return Finding('models', FAIL, str(files.message), f'git checkout -- {folder}')
    size = sum(len(data) for data in files.data.values()) / 1e6
    held = f'{counted(len(files.data), "file")}, {size:.1f} MB'
    text = f'{folder.name} {files.manifest.version}: {held}'
    return Finding('models', OK, f'{text}, manifest {files.sha256[:12]}, all hashes right')


def signatures() -> Finding:
    """Whether the planner asks who vouches for a model, as its parameters ship."""
    from alpamayo_ros.parameters.parameter_file import of_planner

    try:
        keys = of_planner('')['trusted_keys']
    except ConfigError as error:
        return Finding('models', FAIL, str(error))
    if keys:
        return Finding('models', OK, f'the planner takes models that a key of {keys} signed')
    text = 'signatures are not asked for (trusted_keys of the planner is empty)'
    return Finding('models', OK, f'{text}; alpamayo key init makes keys')


def optional_parts() -> Iterator[Finding]:
    """Parts that only a ROS distribution has; off is normal with the wheels."""
    distro = environment.distribution()
    parts = {
        'launch_ros': ('ros2 launch', 'alpamayo up starts the same graphs'),
        'cv_bridge': ('encodings beyond rgb8, bgr8, bgra8, mono8', ''),
        'sensor_msgs_py': ('the candidate cloud for RViz', ''),
        'autoware_planning_msgs': ('alpamayo up vehicle --autoware', ''),
        'tf2_msgs': ('tf', 'route, path and odometry show with odom as the fixed frame only'),
    }
    for module, (purpose, instead) in parts.items():
        if installed(module):
            yield Finding('optional', OK, f'{module}: on ({purpose})')
            continue
        off = f'{module}: off ({purpose})' + (f'; {instead}' if instead else '')
        wanted = bool(distro) and module != 'autoware_planning_msgs'
        remedy = f'apt install ros-{distro}-{module.replace("_", "-")}' if wanted else ''
        yield Finding('optional', WARN if wanted else OK, off, remedy)


CHECKS: tuple[Check, ...] = (
    python, ros, messages, middleware, inference, models, optional_parts,
)  # fmt: skip
