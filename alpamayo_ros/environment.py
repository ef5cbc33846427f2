"""What a process needs in its environment before ROS 2 is imported; used by the CLI and by tests.

With a sourced ROS 2 nothing is changed but the Fast DDS profile.  With the ``ros-*`` wheels the
ament index is the virtual environment itself, and their ``.pth`` file has set ``LD_LIBRARY_PATH``
by starting Python once more; the guard variable it leaves behind misleads another environment's
Python, so ``repair`` checks it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from alpamayo_ros.profile import share_dir
from alpamayo_ros.statuses import ConfigError

PARENT = 'ALPAMAYO_DIE_WITH_PARENT'  # holds the process id of a node's supervisor
STATUS_FILE = 'ALPAMAYO_STATUS_FILE'  # where a node writes with what status it means to end
PR_SET_PDEATHSIG = 1
# set by ros_wheels_bootstrapper when it has started Python again
GUARD = '_ROS_WHEELS_BOOTSTRAP_COMPLETE'
FAST_DDS = (
    'FASTDDS_DEFAULT_PROFILES_FILE',
    'FASTRTPS_DEFAULT_PROFILES_FILE',
)  # names in 3.x and 2.x
FAST_DDS_2 = ('humble', 'iron', 'jazzy')  # distributions with Fast DDS 2.x
DDS_PROFILE = Path('config') / 'dds' / 'fastdds_large_images.xml'
DOMAINS = 232  # highest id for which the UDP ports of DDS fit (RTPS 2.5, 9.6.1.1)
WITH_CYCLONE = DDS_PROFILE.with_name('fastdds_with_cyclone.xml')  # peers of another middleware


def apart_folder() -> Path:
    """Of packages that may not stand beside libsumo (``viewer.packages`` says why).

    In the virtual environment, or in the user's data folder where there is none.
    """
    if sys.prefix != sys.base_prefix:
        return Path(sys.prefix) / 'view'
    data = os.environ.get('XDG_DATA_HOME') or str(Path.home() / '.local' / 'share')
    return Path(data) / 'alpamayo_ros' / 'view'


def distribution(env: Mapping[str, str] | None = None) -> str:
    """Name of the sourced ROS 2 distribution, or '' when there is none."""
    return (os.environ if env is None else env).get('ROS_DISTRO', '')


def check_domain(env: Mapping[str, str] | None = None) -> None:
    """ROS_DOMAIN_ID is a number that the middleware takes."""
    said = (os.environ if env is None else env).get('ROS_DOMAIN_ID', '')
    if said and not (said.isascii() and said.isdigit() and int(said) <= DOMAINS):
        raise ConfigError(
            f'ROS_DOMAIN_ID is {said!r}: expected a whole number from 0 to {DOMAINS}; '
            'for example: export ROS_DOMAIN_ID=7'
        )


def defaults(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables that are missing from ``env`` and their values; what is set stays.

    ``env`` is by default that of this process.
    """
    present = os.environ if env is None else env
    wanted = {
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',  # a laptop's graph does not leave the laptop
        'LP_NUM_THREADS': '1',  # llvmpipe: one thread a process; the cores belong to the planner
    }
    if not distribution(present):
        wanted['AMENT_PREFIX_PATH'] = sys.prefix
    profile = share_dir() / DDS_PROFILE
    if profile.is_file():
        wanted[fast_dds(present)] = str(profile)
    return {name: value for name, value in wanted.items() if not present.get(name)}


def fast_dds(env: Mapping[str, str] | None = None) -> str:
    """Name under which the middleware in force reads its profile; 3.x warns about the old one."""
    return FAST_DDS[distribution(env) in FAST_DDS_2]


def apply() -> None:
    """Set the missing variables in this process, for itself and its children."""
    os.environ.update(defaults())


def foreign_bootstrap(env: Mapping[str, str]) -> bool:
    """Whether another environment left the guard behind: our libraries are then not found."""
    library = os.path.join(sys.prefix, 'lib')
    return bool(env.get(GUARD)) and library not in env.get('LD_LIBRARY_PATH', '').split(os.pathsep)


def wheels_installed() -> bool:
    """Whether this interpreter has the ``ros-*`` wheels."""
    return any((Path(p) / 'ros_wheels_bootstrapper').is_dir() for p in sys.path if p)


def die_with(parent: int, number: signal.Signals) -> None:
    """Have the kernel send ``number`` when the parent is gone (Linux); end at once where it is.

    A process that takes seconds to get here may have lost its parent on the way, and the kernel
    tells nobody what was before.
    """
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        raise SystemExit(1)


def repair() -> None:
    """Start this process again, without the guard, when another environment left it behind.

    The libraries of a process are searched where LD_LIBRARY_PATH pointed when it started, so
    changing the variable afterwards is not enough.  Returns where there is nothing to repair.
    """
    if distribution() or not wheels_installed() or not foreign_bootstrap(os.environ):
        return
    env = {
        name: value for name, value in os.environ.items() if name not in (GUARD, 'LD_LIBRARY_PATH')
    }
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, sys.orig_argv, env)  # noqa: S606  this very program, no shell


def prepare() -> None:
    """``repair`` and ``apply``: call it first in a program that is or starts a ROS 2 node."""
    repair()
    apply()
