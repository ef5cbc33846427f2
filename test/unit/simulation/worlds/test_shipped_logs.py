"""The logs that ship: small, free, driven right by the expert and not by who ignores stops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alpamayo_ros.datasets.log_build import build
from alpamayo_ros.datasets.log_format import LogError, log_path, read_log, write_log
from alpamayo_ros.simulation.batch import suite
from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.drive.drive_log import Excerpt, driven, record
from alpamayo_ros.simulation.drive.drivers import Driver, careful, ignoring, late_braking
from alpamayo_ros.simulation.drive.recipe import Recipe
from alpamayo_ros.simulation.drive.verdict import right
from alpamayo_ros.simulation.maps.log_road import LogRoad
from alpamayo_ros.simulation.scenario import Scenario, load_scenario
from alpamayo_ros.simulation.sim_rig import sim_vehicle
from alpamayo_ros.simulation.worlds.log_stops import LogStops
from alpamayo_ros.simulation.worlds.open_world import open_world

TEMPLATES = suite.templates('logs')
LARGEST_BYTES = 500_000


def stops(scenario: Scenario) -> LogStops:
    log, car = read_log(scenario.traffic.log), sim_vehicle()
    return LogStops(log, LogRoad(log, car, 0), car)


STANDING = [s for s in TEMPLATES if stops(s).all]


def judged(scenario: Scenario, driver: Driver) -> bool:
    sim = open_world(scenario, 100, render=False)
    while not sim.done:
        sim.step(*driver(sim))
    return right(sim.scenario, sim.outcome, sim.has_lead)


def names(scenarios: list[Scenario]) -> list[str]:
    return [s.name for s in scenarios]


def test_they_are_few_bytes_free_and_by_several_drivers() -> None:
    logs = [read_log(s.traffic.log) for s in TEMPLATES]
    assert len(logs) >= 10
    assert len(STANDING) >= 4
    assert sum(log_path(s.traffic.log).stat().st_size for s in TEMPLATES) < LARGEST_BYTES
    assert all(log.provenance.licence.startswith('CC0') for log in logs)
    said = ' '.join(log.provenance.source for log in logs)
    assert all(word in said for word in ('late_braking', 'constant_speed', '--prompt'))


@pytest.mark.parametrize('scenario', TEMPLATES, ids=names(TEMPLATES))
def test_the_expert_is_right(scenario: Scenario) -> None:
    assert judged(scenario, careful())


@pytest.mark.parametrize('scenario', STANDING, ids=names(STANDING))
def test_who_ignores_stops_is_not(scenario: Scenario) -> None:
    assert not judged(scenario, ignoring)


def test_a_shipped_log_is_what_its_words_record() -> None:
    kept = read_log(log_path('late_behind_leader'))
    again = build(
        Recipe('slowing_leader', 4, 'late_braking', '', Excerpt(0.0, 18.0)).material('x')
    )
    assert kept.provenance == again.provenance
    for a, b in ((kept.ego, again.ego), (kept.agents[0], again.agents[0])):
        assert np.allclose(a.states(), b.states(), atol=0.05)


def test_a_driver_who_has_an_accident_leaves_no_log() -> None:
    instants = driven(load_scenario('stopped_car'), 2, ignoring)
    with pytest.raises(LogError, match='stopped_car, seed 2: the driver touched a car after'):
        record('x', 'y', Excerpt(0.0, 30.0).of(instants))


def slow_at_m(driver: Driver) -> float:
    """Where a driver who was fast has slowed down to 6 m/s before a car that stands."""
    fast = False
    for sim in driven(load_scenario('stopped_car'), 2, driver):
        fast = fast or sim.pose.speed_mps > 8.0
        if fast and sim.pose.speed_mps < 6.0:
            return sim.arc_m
    raise AssertionError('never slow')


def test_who_brakes_late_is_slow_later_than_the_expert() -> None:
    assert slow_at_m(late_braking) > slow_at_m(careful()) + 3.0


def test_a_named_log_is_part_of_the_key_of_a_drive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scenario = TEMPLATES[0]
    key = Job(scenario, 0).key
    other = read_log(scenario.traffic.log).model_copy(update={'name': 'other'})
    write_log(other, tmp_path / scenario.traffic.log)  # a file of that name goes first
    assert Job(scenario, 0).key != key
