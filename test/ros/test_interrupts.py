"""Ctrl-C while a message becomes Python's: rclpy makes a RuntimeError of it."""

import signal
import subprocess
import sys

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from graph import PATIENCE_S

from alpamayo_ros.nodes.common.interrupts import Interrupts

pytestmark = pytest.mark.ros

LOST = """
import os, signal, sys
import rclpy.executors

def lost(executor, entity):
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        pass
    raise RuntimeError("Unable to convert call argument '0' to Python object")
"""
NODE = (
    LOST
    + """
from alpamayo_ros.nodes.common import node
rclpy.executors.Executor._take_timer = lost

class Ticking(rclpy.node.Node):
    def __init__(self):
        super().__init__('ticking')
        self.create_timer(0.05, lambda: None)

sys.exit(node.run(Ticking))
"""
)
OPERATOR = (
    LOST
    + """
from alpamayo_ros.nodes.operating import __main__ as operating
sys.argv[1:] = ['{"verb": "status", "patience_s": 1.0}']
operating.VERBS['status'] = lambda outsider: lost(None, None)
sys.exit(operating.main())
"""
)


@pytest.mark.parametrize(('script', 'status'), [(NODE, 0), (OPERATOR, 130)])
def test_what_became_of_ctrl_c_is_no_error(script: str, status: int) -> None:
    command = [sys.executable, '-c', script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, 'Traceback' in done.stderr) == (status, False), done.stderr


def test_what_is_ignored_stays_ignored_and_the_rest_comes_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    ignored = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with Interrupts(signal.SIGINT, signal.SIGTERM) as interrupts:
            signal.raise_signal(signal.SIGTERM)
            assert not interrupts.came
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            assert interrupts.came
    finally:
        signal.signal(signal.SIGTERM, ignored)
    assert signal.getsignal(signal.SIGINT) is before
