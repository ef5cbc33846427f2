"""``./run nightly``: what it concludes from what it saw, and that it sees what is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'tools' / 'nightly'))

import commands
import kills
import soak
import starve
from graph import PATIENCE_S
from left_behind import LeftBehind

from alpamayo_ros.msg import Health, PlannedTrajectory
from alpamayo_ros.nodes.common.convert import stamp
from alpamayo_ros.units import NS

pytestmark = pytest.mark.processes


@pytest.mark.parametrize(
    ('detected_s', 'back_s', 'held'),
    [
        (0.7, 10.0, True),
        (0.71, 1.0, False),
        (0.1, 10.1, False),
        (None, 1.0, False),
        (0.1, None, False),
    ],
)
def test_a_kill_is_held_by_both_bars(detected_s, back_s, held):
    assert kills.Kill('planner', detected_s, back_s).held is held


def curve(rss_mb, files):
    made = soak.Curve()
    for i in range(60):
        made.at_s.append(10.0 * i)
        made.rss_mb.append(rss_mb(i))
        made.files.append(files(i))
        made.segments.append(2.0)
    return made


@pytest.mark.parametrize(
    ('rss_mb', 'files', 'held'),
    [
        (lambda i: 100.0 + (i < 10) * 5 * i, lambda i: 30.0 + i % 3, True),  # it warms up
        (lambda i: 100.0 + 0.5 * i, lambda i: 30.0, False),
        (lambda i: 100.0, lambda i: 30.0 + i // 10, False),
    ],
)
def test_what_grows_after_the_start_is_seen(rss_mb, files, held):
    found = curve(rss_mb, files).figures(150.0)
    assert found['held'] is held and found['samples'] == 45
    assert soak.slope([0.0, 10.0], np.array([1.0, 21.0])) == pytest.approx(2.0)


def test_what_is_left_behind_is_seen_until_it_is_gone(tmp_path, ros_domain):
    left = LeftBehind(ros_domain, tmp_path)
    child = subprocess.Popen([sys.executable, '-c', "print(1, flush=True); input('alpamayo_ros')"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    assert child.stdout.readline()
    (tmp_path / 'alpamayo_x').mkdir()
    assert left.processes() == [str(child.pid)] and left.files() == ['alpamayo_x']
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    assert left.processes() == []
    left.segments = {str(tmp_path / 'alpamayo_x')}
    assert left.shared_memory() == [str(tmp_path / 'alpamayo_x')]


def test_the_figures_are_written_and_a_missed_bar_ends_with_1(tmp_path, ros_domain):
    left = LeftBehind(ros_domain, tmp_path / 'none')
    for held, extra in ((True, {}), (False, {'orphans': ['1']})):
        left.processes = lambda extra=extra: extra.get('orphans', [])
        with pytest.raises(commands.typer.Exit) as end:
            commands._written(tmp_path / 'found.json', {'rounds': 1}, left, True)
        assert end.value.exit_code == int(not held)
        assert json.loads((tmp_path / 'found.json').read_text())['held'] is held


def test_times_of_a_node_say_how_many_held():
    found = commands._of_node([kills.Kill('x', 0.25, 2.0), kills.Kill('x', 0.9, None)])
    assert (found['kills'], found['held'], found['detected_max_s']) == (2, 1, 0.9)
    assert found['back_s'] == [2.0]


@pytest.mark.parametrize('words', ['kills --rounds 0', 'soak --minutes 11', 'fly'])
def test_what_is_no_run_is_refused(words):
    assert CliRunner().invoke(commands.app, words.split()).exit_code == 2


def seen(ages_s, states, faults=()):
    """Health and plans of a stretch, the plans of these ages."""
    plans = [PlannedTrajectory() for _ in ages_s]
    for plan, age_s in zip(plans, ages_s, strict=True):
        plan.header.stamp, plan.published = stamp(5 * NS), stamp(5 * NS + round(age_s * NS))
    return [Health(state=state, faults=list(faults)) for state in states], plans


@pytest.mark.parametrize(
    ('beside', 'recovered_s', 'held'),
    [
        (([0.1] * 200, [Health.DEGRADED]), 2.0, True),
        (([0.1] * 200, [Health.DEGRADED]), 2.1, False),
        (([0.1] * 200, [Health.DEGRADED]), None, False),
        (([0.31] * 200, [Health.ACTIVE]), 0.1, False),  # they queue
        (([0.1] * 200 + [0.51], [Health.ACTIVE]), 0.1, False),
        (([0.1] * 200, [Health.ACTIVE, Health.FAULT]), 0.1, False),
        (([], [Health.FALLBACK]), 0.1, False),
    ],
)
def test_a_starved_graph_is_held_by_the_ages_and_by_its_recovery(beside, recovered_s, held):
    found = {'beside': starve.figures(*seen(*beside)), 'recovered_s': recovered_s}
    assert starve.held(found) is held


def test_what_was_seen_beside_the_loops_is_counted():
    found = starve.figures(*seen([0.1, 0.3], [Health.ACTIVE, Health.FALLBACK], ['MODEL_LATE']))
    assert (found['plans'], found['decisions'], found['share_driving']) == (2, 2, 0.5)
    assert (found['age_median_s'], found['age_max_s']) == (0.2, 0.3)
    assert found['faults'] == ['MODEL_LATE'] and found['states'] == [2, 4]
    assert starve.figures([], [])['age_p99_s'] is None


def test_busy_loops_are_busy_and_end():
    with starve.busy(2):
        end_s = time.monotonic() + PATIENCE_S
        while len(loops()) < 2 and time.monotonic() < end_s:
            time.sleep(0.01)
        assert len(loops()) == 2
    assert not loops()


def loops() -> list[str]:
    """The busy loops among this process's children; a child that has no words yet is none."""
    mine = Path(f'/proc/{os.getpid()}/task/{os.getpid()}/children').read_text().split()
    return [pid for pid in mine if starve.BUSY in words_of(pid)]


def words_of(pid: str) -> str:
    return Path(f'/proc/{pid}/cmdline').read_text()
