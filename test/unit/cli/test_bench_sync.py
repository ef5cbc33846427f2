"""``alpamayo bench sync``, in a process of its own: shape checks would be measured otherwise."""

import json
import subprocess
import sys


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, '-m', 'alpamayo_ros.cli.main', 'bench', 'sync', '--json']
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=100)


def test_at_most_300_us_a_set_and_no_timestep_lost():
    done = bench('--timesteps', '1000')
    report = json.loads(done.stdout)
    assert report['sets'] == 1000
    assert report['lost'] == 0
    assert report['held'] > 50
    assert report['set_us_median'] <= 300
    assert report['push_us_mean'] <= 40  # target 20; measured 8 to 12
    assert done.returncode == 0


def test_a_lost_timestep_is_exit_one():
    done = bench('--timesteps', '100', '--drops', '0.6')
    assert json.loads(done.stdout)['lost'] > 0
    assert done.returncode == 1
