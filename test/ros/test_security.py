"""Security: the graph fails closed without a plugin; F53 and F54 on a distribution with one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from graph import PATIENCE_S

from alpamayo_ros.bringup import GRAPHS
from alpamayo_ros.graph_options import Options
from alpamayo_ros.security.enforcement import FILES

pytestmark = [pytest.mark.ros, pytest.mark.timeout(900)]
MESSAGES = 200
DISTRIBUTION = 'needs a ROS 2 distribution: ros2 security and a middleware built with security'


def enforced(keystore: Path) -> dict[str, str]:
    wanted = {'ROS_SECURITY_ENABLE': 'true', 'ROS_SECURITY_STRATEGY': 'Enforce'}
    return {**os.environ, **wanted, 'ROS_SECURITY_KEYSTORE': str(keystore)}


def without_keys(keystore: Path, enclave: str) -> Path:
    """A keystore whose files are there and hold no keys."""
    folder = keystore / 'enclaves' / enclave.lstrip('/')
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_text('no key\n')
    return keystore


@pytest.mark.parametrize('keys', ['none', 'false'])
def test_f53_without_keys_or_plugin_no_node_starts_and_says_why(tmp_path: Path, keys: str) -> None:
    """The wheels' Fast DDS has no security plugin, and elsewhere these are no keys."""
    if keys == 'false':
        without_keys(tmp_path, '/alpamayo/monitor')
    files = GRAPHS['vehicle'](Options()).parameter_files
    words = [word for file in files for word in ('--params-file', file)]
    command = [sys.executable, '-m', 'alpamayo_ros.nodes.monitor', '--ros-args', *words]
    command += ['-r', '__ns:=/alpamayo', '--enclave', '/alpamayo/monitor']
    done = subprocess.run(
        command, env=enforced(tmp_path), capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert 'refuses to start: ROS_SECURITY_ENABLE is true' in done.stderr
    assert 'Traceback' not in done.stderr and 'SECURITY.md' in done.stderr


# ---- on a distribution --------------------------------------------------------------------------
HEARD = """
import sys, time, rclpy
from nav_msgs.msg import Odometry
rclpy.init(args=['--ros-args', '--enclave', '/alpamayo/egomotion'])
node, count = rclpy.create_node('egomotion', namespace='/alpamayo'), [0]
node.create_subscription(Odometry, 'odometry', lambda m: count.__setitem__(0, count[0] + 1), 10)
print('ready', flush=True)
end = time.monotonic() + 20.0
while time.monotonic() < end:
    rclpy.spin_once(node, timeout_sec=0.1)
print(count[0], flush=True)
"""
SAID = f"""
import sys, time, rclpy
from nav_msgs.msg import Odometry
rclpy.init(args=['--ros-args', '--enclave', sys.argv[1]] if sys.argv[1] else [])
node = rclpy.create_node('speaker', namespace='/alpamayo')
out = node.create_publisher(Odometry, 'odometry', 10)
for _ in range({MESSAGES}):
    out.publish(Odometry())
    time.sleep(0.05)
"""


@pytest.fixture(scope='module')
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real one; skipped where it cannot be made or used."""
    if shutil.which('ros2') is None:
        pytest.skip(DISTRIBUTION)
    folder = tmp_path_factory.mktemp('keystore')
    command = [sys.executable, '-m', 'alpamayo_ros.cli.main', 'security', 'keystore', str(folder)]
    made = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    if made.returncode == 6:
        pytest.skip(f'{DISTRIBUTION}; {made.stderr.strip()[-200:]}')
    assert made.returncode == 0, made.stderr
    return folder


@pytest.mark.parametrize(
    ('enclave', 'secured', 'delivered'),
    [
        ('/drivers/localisation', True, True),  # who may: without it the rows below prove nothing
        ('', False, False),  # F53: no identity at all
        ('/drivers/cameras', True, False),  # F54: an identity that may say something else
    ],
    ids=['allowed', 'F53', 'F54'],
)
def test_f53_f54_only_the_enclave_that_may_is_heard(
    keystore: Path, enclave: str, secured: bool, delivered: bool
) -> None:
    listener = subprocess.Popen(
        [sys.executable, '-c', HEARD], env=enforced(keystore), stdout=subprocess.PIPE, text=True
    )
    assert listener.stdout is not None and listener.stdout.readline() == 'ready\n'
    env = enforced(keystore) if secured else {**os.environ, 'ROS_SECURITY_ENABLE': 'false'}
    speaker = subprocess.Popen([sys.executable, '-c', SAID, enclave], env=env)
    count = int(listener.communicate(timeout=PATIENCE_S)[0])
    speaker.kill()
    speaker.wait()
    time.sleep(0.1)
    assert (count > 0) is delivered
