"""What was typed and configured, checked before the first process starts.

``alpamayo up``, the launch files and every command that writes or drives call it.  ConfigError is
the sentence for who typed; its ``status`` is the exit status.
"""

from __future__ import annotations

import ctypes
import errno
import importlib.util
import shutil
import tempfile
from pathlib import Path

from alpamayo_ros.bags.parts import is_pointer, no_bag
from alpamayo_ros.bags.record_plan import check_plan
from alpamayo_ros.bringup import replay_rig
from alpamayo_ros.config_file import absent, unknown
from alpamayo_ros.environment import check_domain
from alpamayo_ros.faults import Fault
from alpamayo_ros.graph_options import CONTROLLERS, Options, check_chosen
from alpamayo_ros.limits import load_limits
from alpamayo_ros.other_stack import check_other_stack
from alpamayo_ros.parameters.own_file import check_own
from alpamayo_ros.profile import ModelProfile, load_profile
from alpamayo_ros.runtime import registry
from alpamayo_ros.runtime.loader import bare_weights, model_dir
from alpamayo_ros.runtime.manifest import check_profile, read_model
from alpamayo_ros.runtime.signature import nothing_signed
from alpamayo_ros.security.topic_names import check_topic_map
from alpamayo_ros.sensing.mounts import check_names
from alpamayo_ros.sensing.rig import Rig, load_rig
from alpamayo_ros.simulation.graph_faults import check_inject
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.statuses import ConfigError, MachineError, NoSuchFileError

BAGS = ('.mcap', '.db3', '.part')
OBJECTS = ('none', 'ground_truth')
EGL = ('libEGL.so.1', 'libEGL.so')


def check_graph(name: str, options: Options) -> None:
    """Everything that a graph is started with."""
    check_domain()
    check_chosen(name, options)
    if options.objects not in OBJECTS:
        raise ConfigError(f'objects: {unknown("source", options.objects, OBJECTS)}')
    profile = load_profile(options.profile)
    rig = load_rig(replay_rig(options) if name == 'replay' else options.rig)
    check_names(rig, [camera.name for camera in rig.for_profile(profile)])
    if name == 'vehicle' and not options.shadow:
        check_measured(rig)
    check_plan(options.bag_topics, options.bag_out)
    check_topic_map(options.topics, rig, profile)
    check_model(options.runtime, profile, *check_own(name, options))
    if name == 'simulator':
        load_scenario(options.scenario)
        check_renderer()
    check_inject(name, options)
    if name == 'replay' and not options.bag:
        raise ConfigError('a replay needs a bag; for example: alpamayo up replay --bag a.mcap')
    if name == 'replay':
        check_bag(Path(options.bag))
    if options.controller:
        check_controller(name, options)
    if options.autoware or options.sim_time:
        check_other_stack(name, options, rig)
    check_room(*(Path(p) for p in (options.record, options.bag_out) if p))
    for folder in filter(None, (options.record, options.incidents)):
        check_folder(Path(folder))
    for file in filter(None, (options.output, options.bag_out)):
        check_file(Path(file))


def check_controller(name: str, options: Options) -> None:
    """Somebody obeys the controller, and its message is there."""
    kind = options.controller
    if kind not in CONTROLLERS:
        raise ConfigError(f'controller: {unknown("message", kind, CONTROLLERS)}')
    if name == 'replay' or options.shadow:
        why = 'a replay moves no car' if name == 'replay' else 'in shadow mode nothing is driven'
        raise ConfigError(f'controller: {why}; leave it out')
    if name == 'simulator' and kind != 'twist':
        raise ConfigError(f'controller: the simulated car reads twist, not {kind}')
    needed = 'carla_msgs' if kind == 'carla' else 'ackermann_msgs'
    if kind != 'twist' and importlib.util.find_spec(needed) is None:
        package = needed.replace('_', '-')
        raise MachineError(
            f'controller: {kind} needs {needed}, which is not installed; type: apt install '
            f'ros-$ROS_DISTRO-{package}, or choose twist'
        )


def check_measured(rig: Rig) -> None:
    """Nothing drives by values that nobody measured."""
    if rig.assumed:
        verb = 'is' if len(rig.assumed) == 1 else 'are'
        raise ConfigError(
            f'rig {rig.name!r}: {", ".join(rig.assumed)} {verb} assumed; measure, correct the '
            'file and take the keys out of `assumed`, or plan beside the driver with --shadow'
        )


def check_model(
    runtime: str, profile: ModelProfile, folder: str = '', trusted_keys: str = '', least: int = 0
) -> None:
    """The runtime is installed and its model is there, for this profile; nothing is hashed yet."""
    entry = registry.find(registry.of_profile(runtime, profile))
    if isinstance(entry, Fault):
        raise refusal(entry, 'runtime')
    trusted = Path(trusted_keys) if trusted_keys else None
    if trusted is not None and not entry.files:
        raise refusal(nothing_signed(runtime, trusted), 'runtime')
    if entry.vendor is not None:
        fault = entry.vendor(profile, Path(folder) if folder else None)
        if fault is not None:
            raise refusal(fault, 'model')
    if not entry.files:
        return
    path = Path(folder) if folder else model_dir(profile)
    if said := bare_weights(path):
        raise ConfigError(f'model: {said}')
    files = read_model(path, (), least, trusted)
    if isinstance(files, Fault):
        raise refusal(files, 'model')
    if wrong := check_profile(files, profile):
        raise ConfigError(f'model: {wrong}')


def refusal(fault: Fault, key: str) -> ConfigError:
    """What is wrong with a model or runtime as an error of the command."""
    error = ConfigError(f'{key}: {fault}')
    error.status = registry.status_of(fault)
    return error


def check_renderer() -> None:
    """The simulator draws with OpenGL through EGL, whose library must be here."""
    for name in EGL:
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return
    raise MachineError(
        'the simulator draws through EGL and libEGL.so.1 is not here; type: apt install libegl1 '
        'libgl1-mesa-dri, then alpamayo doctor'
    )


def check_bag(path: Path) -> None:
    """A recording lies there; what is in it, its reader says."""
    if path.is_dir():
        if not any(
            p.name == 'metadata.yaml' or set(p.suffixes) & set(BAGS) for p in path.iterdir()
        ):
            here = sorted(p.name for p in path.iterdir())
            held = f'it holds {", ".join(here[:4])}' if here else 'it is empty'
            raise ConfigError(
                f'{path} is no bag: expected a folder with metadata.yaml, or a .mcap; {held}'
            )
    elif not path.is_file():
        raise NoSuchFileError(absent('bag', path))
    elif not set(path.suffixes) & set(BAGS) or is_pointer(path):
        raise ConfigError(no_bag(path))


def check_folder(path: Path) -> None:
    """A folder to write is one, or can be made."""
    if path.exists() and not path.is_dir():
        raise ConfigError(f'{path} is a file; expected a folder to write')
    _writable(path)


def check_file(path: Path) -> None:
    """A file to write is none yet or one, and its folder can be made."""
    if path.is_dir():
        raise ConfigError(f'{path} is a folder; expected a file to write')
    _writable(path.parent)


def _writable(folder: Path) -> None:
    """Refuse what lies below a file, or where nothing may be written."""
    there = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if not there.is_dir():
        raise ConfigError(f'{folder} cannot be made: {there} is a file')
    try:  # os.access lets root write everywhere, into /proc too
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        raise PermissionError(errno.EACCES, 'no file can be made here', str(there)) from error


def check_room(*paths: Path) -> None:
    """A recording begins with more room than that at which it would end at once."""
    least = load_limits().disk_bytes
    for path in paths:
        there = next(p for p in path.absolute().parents if p.exists())
        free = shutil.disk_usage(there).free
        if free < least:
            text = f'{there}: {free / 1e6:.0f} MB are free, a recording ends below'
            raise MachineError(f'{text} {least / 1e6:.0f} MB; free some space')
