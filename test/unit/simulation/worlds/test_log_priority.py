"""Who goes first in a log: it is recorded, and the expert gives way to those who cannot react."""

from __future__ import annotations

from pathlib import Path

import pytest
from log_scene import scenario, scene

from alpamayo_ros.datasets.log_build import build
from alpamayo_ros.datasets.log_format import LogError, Yield, log_path, read_log, write_log
from alpamayo_ros.datasets.log_map import Yielding
from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.drive.drive import Drive
from alpamayo_ros.simulation.drive.drive_log import Excerpt
from alpamayo_ros.simulation.drive.planners import ExpertPlanner
from alpamayo_ros.simulation.drive.recipe import Recipe
from alpamayo_ros.simulation.drive.verdict import right
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.give_way import GiveWay
from alpamayo_ros.simulation.worlds.log_world import LogWorld

LINE_M = 40.0
LONG = tuple(range(50))  # steps of 0.1 s


def world(folder: Path, *taken: int) -> LogWorld:
    log = scene(yields=(Yielding((LINE_M, 0.0), taken),))
    return LogWorld(scenario(log, folder), 0, render=False)


def driven(sim: LogWorld, until_s: float) -> LogWorld:
    while sim.now_ns < until_s * 1e9:
        sim.step(*expert.control(sim))
    return sim


def test_the_expert_waits_while_somebody_goes_first(tmp_path: Path) -> None:
    free, waiting = (driven(world(tmp_path, *taken), 4.9) for taken in ((), LONG))
    reach = free.vehicle.rear_axle_to_front_m
    line_m = LINE_M + free.vehicle.centre_m  # the log's origin is the ego's middle
    assert free.arc_m + reach > line_m
    assert waiting.arc_m + reach < line_m
    assert waiting.line_ahead() == (pytest.approx(line_m - waiting.arc_m - reach, abs=0.2), True)
    assert driven(waiting, 7.0).pose.speed_mps > 3.0, 'and drives on when nobody does'
    assert not waiting.line_ahead()[1]


def test_a_reset_forgets_whom_it_waits_for(tmp_path: Path) -> None:
    sim = driven(world(tmp_path, *LONG), 3.0)
    assert sim.line_ahead()[1]
    sim.reset_ego(0.0)
    assert not sim.line_ahead()[1]


@pytest.mark.parametrize(
    ('bumper_m', 'speed_mps', 'waits'),
    [(65.0, 8.0, False), (75.0, 8.0, True), (94.0, 8.0, False), (99.0, 2.0, True)],
    ids=['far', 'near', 'too late to stop', 'slow'],
)
def test_whether_to_wait(bumper_m: float, speed_mps: float, waits: bool) -> None:
    line = GiveWay(100.0)
    line.look(bumper_m, speed_mps, True)
    assert (line.waits, len(line.obstacles())) == (waits, int(waits))


def test_having_braked_it_looks_again_when_it_is_slow() -> None:
    line = GiveWay(100.0)
    line.look(80.0, 8.0, True, (7,))
    line.look(85.0, 6.0, False)
    assert line.waits and line.obstacles()[0].by == (7,)
    line.look(95.0, 2.0, False)
    assert not line.waits


def test_spans_of_priority_are_kept_and_written(tmp_path: Path) -> None:
    log = scene(yields=(Yielding((LINE_M, 0.0), (0, 1, 2, 7, 8)), Yielding((9.0, 0.0), ())))
    write_log(log, tmp_path / 'a.json')
    first, second = read_log(tmp_path / 'a.json').yields
    assert first.taken == ((0, 2), (7, 8)) and second.taken == ()
    assert [step for step in range(12) if first.at(step)] == [0, 1, 2, 7, 8]


def test_a_span_that_ends_before_it_begins_is_refused(tmp_path: Path) -> None:
    log = scene(yields=(Yielding((LINE_M, 0.0), (3,)),))
    write_log(log, tmp_path / 'a.json')
    text = (tmp_path / 'a.json').read_text()
    (tmp_path / 'a.json').write_text(text.replace('[[3,3]]', '[[3,2]]'))
    with pytest.raises(LogError, match=r'yields.0: .*expected the first step, then the last'):
        read_log(tmp_path / 'a.json')


def test_the_roundabout_records_who_has_priority() -> None:
    again = build(Recipe('roundabout_busy_left', 2, 'expert', '', Excerpt(0.0, 4.0)).material('x'))
    (kept,) = read_log(log_path('roundabout_entered')).yields
    assert again.yields == (Yield(x_m=kept.x_m, y_m=kept.y_m, taken=((0, 35),)),)
    assert kept.at(35) and not kept.at(36)


def test_the_expert_is_right_as_a_planner_too() -> None:
    """Its plans are followed by the tracker: a little later at the ring than the record was."""
    scenario = load_scenario('roundabout_entered')
    drive = Drive(scenario, 0, ExpertPlanner(load_profile('nano')))
    while not drive.sim.done:
        drive.step()
    assert right(drive.sim.scenario, drive.sim.outcome, drive.sim.has_lead)
