"""What a process needs in its environment before ROS 2 is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from alpamayo_ros import environment
from alpamayo_ros.profile import share_dir

PROFILE = str(share_dir() / environment.DDS_PROFILE)


def test_a_bare_environment_gets_everything() -> None:
    assert environment.defaults({}) == {
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        'LP_NUM_THREADS': '1',
        'AMENT_PREFIX_PATH': sys.prefix,
        'FASTDDS_DEFAULT_PROFILES_FILE': PROFILE,
    }


def test_what_a_person_set_stays() -> None:
    env = {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET', 'FASTDDS_DEFAULT_PROFILES_FILE': '/my.xml'}
    assert not environment.defaults(env).keys() & env.keys()


def test_a_sourced_distribution_keeps_its_own_index() -> None:
    jazzy = environment.defaults({'ROS_DISTRO': 'jazzy'})
    assert 'AMENT_PREFIX_PATH' not in jazzy
    assert jazzy['FASTRTPS_DEFAULT_PROFILES_FILE'] == PROFILE  # Fast DDS 2.x


def test_a_guard_of_another_environment_is_recognised() -> None:
    library = str(Path(sys.prefix) / 'lib')
    assert environment.foreign_bootstrap({environment.GUARD: '1', 'LD_LIBRARY_PATH': '/else/lib'})
    assert not environment.foreign_bootstrap({environment.GUARD: '1', 'LD_LIBRARY_PATH': library})
    assert not environment.foreign_bootstrap({'LD_LIBRARY_PATH': '/else/lib'})


@pytest.mark.skipif(not environment.wheels_installed(), reason='a ROS distribution has no wheels')
@pytest.mark.parametrize(
    'changes',
    [
        {},
        {environment.GUARD: '', 'LD_LIBRARY_PATH': ''},
        {environment.GUARD: '1', 'LD_LIBRARY_PATH': '/of/another/environment/lib'},
    ],
    ids=['from a test', 'by hand', 'from inside another environment'],
)
def test_ros_can_be_imported_however_the_tool_is_started(changes: dict[str, str]) -> None:
    code = (
        'from alpamayo_ros import environment; environment.prepare(); import rclpy, os;'
        'from alpamayo_ros.msg import Health; rclpy.init(); rclpy.shutdown();'
        'print(os.environ["AMENT_PREFIX_PATH"])'
    )
    env = {name: value for name, value in {**os.environ, **changes}.items() if value}
    env.pop('AMENT_PREFIX_PATH', None)
    done = subprocess.run(
        [sys.executable, '-c', code], env=env, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == sys.prefix
