"""A node that ``python -m`` loads looks for no garbage until it runs, and then does."""

import subprocess
import sys

import pytest

TOLD = """
import gc, sys
sys.argv = ['-m'] if {started} else ['node']
import alpamayo_ros.nodes as nodes
from alpamayo_ros import bringup  # much is imported
before = gc.isenabled()
nodes.loaded()
print(before, gc.isenabled(), gc.get_freeze_count() > 10_000)
"""


@pytest.mark.parametrize(('started', 'before'), [(True, False), (False, True)])
def test_garbage_is_looked_for_once_everything_is_loaded(started, before):
    code = TOLD.format(started=started)
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.stdout == f'{before} True True\n', done.stderr
