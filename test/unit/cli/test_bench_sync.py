"""``alpamayo bench sync``, in a process of its own: shape checks would be measured otherwise."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from alpamayo_ros.cli.bench import app
from alpamayo_ros.cli.measuring.sync_cost import LIMIT_US
from alpamayo_ros.profile import share_dir


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, '-m', 'alpamayo_ros.cli.main', 'bench', 'sync', '--json']
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=500)


def test_no_timestep_is_lost_and_the_verdict_follows_the_figures():
    done = bench('--timesteps', '1000')
    report = json.loads(done.stdout)
    assert report['sets'] == 1000
    assert report['lost'] == 0
    assert report['held'] > 50
    assert (done.returncode == 0) == (report['set_us_median'] <= LIMIT_US)


@pytest.mark.nightly
def test_at_most_300_us_a_set():
    report = json.loads(bench('--timesteps', '1000').stdout)
    assert report['set_us_median'] <= 300
    assert report['push_us_mean'] <= 40  # target 20; measured 8 to 12


def test_a_seventh_camera_of_the_profile_is_measured(tmp_path: Path):
    tree = yaml.safe_load((share_dir() / 'config' / 'profiles' / 'nano.yaml').read_text())
    tree['cameras'].append({'name': 'tele', 'hfov_deg': 30})
    (tmp_path / 'seven.yaml').write_text(yaml.safe_dump(tree))
    done = bench('--timesteps', '50', '--drops', '0', '--profile', str(tmp_path / 'seven.yaml'))
    report = json.loads(done.stdout)
    assert (report['cameras'], report['frames'], report['sets']) == (7, 350, 50)


def test_a_lost_timestep_is_exit_one():
    done = bench('--timesteps', '100', '--drops', '0.6')
    assert json.loads(done.stdout)['lost'] > 0
    assert done.returncode == 1


@pytest.mark.parametrize('words', [('--drops', '0.5'), ('--rate-hz', '5'), ('--profile', 'none')])
def test_what_the_grid_does_not_use_is_refused(words: tuple[str, str]):
    done = CliRunner().invoke(app, ['sync', '--grid', *words])
    assert done.exit_code == 2
    assert '--grid has rates' in done.output
