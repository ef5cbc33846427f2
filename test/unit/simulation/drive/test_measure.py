"""Truth of a scene in facts, and what a drive is measured by."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alpamayo_ros import metrics
from alpamayo_ros.profile import load_profile
from alpamayo_ros.recording import events, scene_facts
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.batch.drive_process import drive
from alpamayo_ros.simulation.batch.journal import Job
from alpamayo_ros.simulation.drive import facts
from alpamayo_ros.simulation.drive.drive import Drive, Options
from alpamayo_ros.simulation.drive.drive_recorder import DriveRecorder
from alpamayo_ros.simulation.drive.fact_track import FactTrack
from alpamayo_ros.simulation.drive.measurements import Measure
from alpamayo_ros.simulation.drive.planners import StraightPlanner, open_planner
from alpamayo_ros.simulation.scenario import RoadShape, Scenario, Start, Traffic, load_scenario
from alpamayo_ros.simulation.scene_truth import SceneTruth
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.simulation.worlds.town import Town
from alpamayo_ros.training import annotate
from alpamayo_ros.types import PlannerInput, Proposal

SHORT = Scenario(
    name='short', description='', duration_s=5, start=Start(speed_mps=5),
    traffic=Traffic(oncoming=False),
)  # fmt: skip


class Speaker(StraightPlanner):
    """Drives straight on and says always the same."""

    name = 'speaker'
    text = (
        'perception: road straight, in lane centre, standing vehicle ahead at 20 m\n'
        'situation: free road\nrationale: the light is red\nintent: keep speed and keep the lane'
    )

    def propose(self, inputs: PlannerInput) -> Proposal:
        return replace(super().propose(inputs), text=self.text)


@pytest.fixture
def speaker() -> Speaker:
    return Speaker(load_profile('nano'))


def measured(speaker: Speaker, latency_steps: int = 0) -> dict:
    options = Options(latency_steps=latency_steps)
    return drive(Job(SHORT, 1), speaker, options)


# ---- truth --------------------------------------------------------------------------------------
def truth(gap_m: float, speed: float = 0.0, acceleration: float = 0.0) -> SceneTruth:
    bends = np.zeros(4)
    return SceneTruth(0.0, 0.0, 0.0, np.zeros(6), bends, gap_m, speed, acceleration, 9.0)


@pytest.mark.parametrize('gap_m', [3.0, 20.0, 54.9, 55.1, math.inf])
@pytest.mark.parametrize('motion', [(0.0, 0.0), (0.4, -2.0), (6.0, -0.6), (6.0, 0.0), (6.0, 1.0)])
def test_lead_vehicle_as_the_annotator_words_it(gap_m: float, motion: tuple) -> None:
    """The words that models are taught, read back, are the truth that they are scored by."""
    said = annotate.annotate(
        annotate.Facts(5.0, 0.0, np.zeros(4), gap_m, *motion), np.zeros((60, 3)), 0.1
    )
    text = f'perception: {said["road"]}{said["place"]}{said["vehicle"]}{said["gap"]}'
    assert metrics.coc_facts(text)['lead'] == facts.lead(truth(gap_m, *motion))


def walker(x: float, y: float, heading: float, speed: float = 1.4) -> Agent:
    size = (0.5, 0.5)
    return Agent(7, 'pedestrian', x, y, heading, speed, 0.0, *size, (0.5, 0.5, 0.5), False)


def test_pedestrians_count_on_the_way_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    straight = Scenario(
        name='s', description='', duration_s=5, road={'straight': True},
        traffic=Traffic(oncoming=False),
    )  # fmt: skip
    sim = Simulation(straight, 0, render=False)
    x, y, heading = sim.road.pose(sim.arc_m, 0.0, 0.0)

    def seen(ahead_m: float, left_m: float, turned: float, speed: float = 1.4) -> set[str]:
        c, s = math.cos(heading), math.sin(heading)
        place = (x + c * ahead_m - s * left_m, y + s * ahead_m + c * left_m)
        monkeypatch.setattr(sim, 'agents', lambda: [walker(*place, heading + turned, speed)])
        found = facts.people(sim)
        assert all(one.ids == {7} for one in found)
        return facts.known(found, {7}).seen['pedestrian']

    assert seen(20, 2, math.pi / 2) == {'present', 'crossing'}
    assert seen(20, -2, -math.pi / 2) == {'present', 'crossing'}
    assert seen(20, 2, 0.0) == {'present'} == seen(20, 2, math.pi / 2, 0.0)
    assert seen(20, 4, math.pi / 2) == seen(45, 0, math.pi / 2) == seen(-5, 0, 0.0) == set()


def test_the_light_is_that_of_the_next_junction(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = Scenario(name='t', description='', map='town', verdict='town', duration_s=5)
    sim = Town(scenario, 3, render=False)
    try:
        junction = next(j for j in sim.route.junctions if j.tls)
        monkeypatch.setattr(sim.route, 'junctions', [junction])
        sim.arc_m = junction.stop_arc_m - sim.vehicle.rear_axle_to_front_m - 30.0
        for state, light in (('r', 'red'), ('u', 'red'), ('y', 'yellow'), ('G', 'green')):
            monkeypatch.setattr(sim._traffic, 'state', lambda tls, link, s=state: s)
            assert sim.light_ahead(facts.LIGHT_M) == light and sim.light_ahead(29.0) == ''
        sim.arc_m += 31.0
        assert sim.light_ahead(facts.LIGHT_M) == 'green', 'who stands a step too far waits for it'
        assert sim.line_ahead()[0] == pytest.approx(-1.0)
        sim.arc_m += 1.0
        assert sim.light_ahead(facts.LIGHT_M) == '', 'it is passed'
    finally:
        sim.close()


def path(speeds: np.ndarray, turn_rps: float = 0.0) -> np.ndarray:
    heading = np.arange(len(speeds)) * 0.1 * turn_rps
    steps = np.stack([np.cos(heading), np.sin(heading)], 1) * speeds[:, None] * 0.1
    at = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, 0)[:-1]])
    return np.column_stack([at, heading])


def did(speeds: list[float] | np.ndarray, navigation: str = '', turn: float = 0.0) -> set | None:
    v = np.asarray(speeds, float)
    return facts.manoeuvre(path(v, turn), v, 0.1, navigation, 0.0)


def test_manoeuvres_by_what_was_driven() -> None:
    t = np.arange(61) * 0.1
    assert did(np.full(61, 6.0)) == {'keep'}
    assert did(6 + 0.5 * t) == {'speed_up'} and did(6 - 0.5 * t) == {'slow'}
    assert did(np.maximum(6 - 2 * t, 0)) == {'stop'}
    assert did(np.zeros(61)) == {'wait'} and did(np.maximum(t - 3, 0)) == {'speed_up'}
    assert did(np.full(61, 6.0), 'turn left in 40 m', 0.2) == {'keep', 'left'}
    assert did(np.full(61, 6.0), 'follow the road', 0.2) == {'keep'}, 'a bend is no turn'


def test_a_manoeuvre_that_is_not_over_is_not_judged() -> None:
    assert did(np.full(40, 6.0)) is None
    assert did(np.r_[np.linspace(6, 0, 20), np.zeros(5)]) == {'stop'}, 'the drive ended standing'


# ---- figures ------------------------------------------------------------------------------------
def test_claims_are_counted_against_the_truth(speaker: Speaker) -> None:
    row = measured(speaker)
    tp, fp, fn = row['coc_facts']
    said = 43  # of 50 steps: the first seven have no past
    assert fp == 3 * said > 3 * row['plans'], 'a vehicle, standing, and a red light, every time'
    assert fn == tp == 0, 'no drive of 5 s tells a manoeuvre of 6 s'
    assert row['coc_facts_f1'] == 0.0
    assert row['coc_facts_by'] == {
        'light': [0, said, 0], 'lead': [0, 2 * said, 0], 'pedestrian': [0, 0, 0],
        'manoeuvre': [0, 0, 0],
    }  # fmt: skip
    assert row['agreement_cycles'] == row['plans']
    assert row['agreement'] == 0.5, 'it says keep and speeds up again after the stop at the start'


def test_the_instants_whose_words_hold_are_named(speaker: Speaker) -> None:
    """None with a vehicle that is never there; every one without (no manoeuvre is judged)."""
    for text, all_of_them in (
        (speaker.text, False),
        ('intent: keep speed and keep the lane', True),
    ):
        speaker.text = text
        made = Drive(SHORT, 1, speaker, Options())
        measure, spoken = Measure(made), []
        while not made.sim.done:
            cycle = made.step()
            measure.note(cycle)
            spoken += [cycle.proposal.t0_ns] if cycle.proposal else []
        made.close()
        assert spoken and measure.held() == (spoken if all_of_them else [])


def test_a_late_proposal_is_held_against_its_own_time(speaker: Speaker) -> None:
    late = measured(speaker, latency_steps=3)
    assert 0 < sum(late['coc_facts']) < sum(measured(speaker)['coc_facts'])


def test_words_are_held_against_their_time_where_the_clock_jumps(speaker: Speaker) -> None:
    jumped = SHORT.model_copy(update={'faults': 'jump_clock(by_s=10,at_s=3)'})
    row = drive(Job(jumped, 1), speaker, Options())
    assert row['plans'] > 0 and row['coc_facts'][1] > 3 * row['plans']


def test_who_says_nothing_is_not_scored_by_words() -> None:
    for kind in ('expert', 'straight'):
        row = drive(Job(SHORT, 1), open_planner(kind, load_profile('nano')), Options())
        assert row['coc_facts'] is row['coc_facts_f1'] is row['agreement'] is None


def test_comfort_is_the_share_of_bounds(speaker: Speaker) -> None:
    made = Drive(SHORT, 1, speaker)
    measure = Measure(made)
    for step in range(40):
        measure.look()
        made.sensors.step(0.0, 0.5 if step < 20 else -6.0)
    found = measure.fields()
    assert found['discomfort'] and 'longitudinal_acceleration_mps2' in found['discomfort']
    assert found['comfort'] == pytest.approx(1 - len(found['discomfort']) / 6, abs=1e-4)


# ---- the recorder -------------------------------------------------------------------------------
def test_a_recorded_drive_is_the_drive(speaker: Speaker, tmp_path: Path) -> None:
    plain = measured(speaker)
    one, two = tmp_path / 'one', tmp_path / 'two'
    for folder in (one, two):
        assert drive(Job(SHORT, 1, str(folder)), speaker, Options()) == plain
    for name in ('events.jsonl', 'images.bin', 'run.json'):
        assert (one / name).read_bytes() == (two / name).read_bytes()
    recording = Recording(one)
    egos, plans = recording.all(events.Ego), recording.all(events.Plan)
    assert len(egos) == 50 and egos[10].stamp_ns == 10**9 and recording.info.scenario == 'short'
    assert len(plans) == plain['plans'] + plain['fallback_plans']
    assert len(recording.all(events.Words)) == plain['plans']
    assert recording.all(events.Words)[0].rationale == 'the light is red'
    assert recording.all(events.Health)[-1].plans == plain['plans']
    assert {i.camera for i in recording.all(events.Image)} >= {'front', 'rear'}
    assert recording.image('front', 10**9).shape == (320, 560, 3)
    chosen = [c for c in recording.all(events.Candidates) if c.selected >= 0]
    assert len(chosen) == plain['plans'] and len(chosen[0].paths) == 8
    assert np.hypot(*(recording.route[0] - recording.ego[0, 1:3])) < 0.1


def test_a_late_plan_is_anchored_where_its_pictures_were_taken(
    speaker: Speaker, tmp_path: Path
) -> None:
    made = Drive(SHORT, 1, speaker, Options(latency_steps=4))
    recorder = DriveRecorder(made, tmp_path)
    while not made.sim.done:
        recorder.note(made.step())
    recorder.close()
    (tmp_path / 'images.bin').touch()
    recording = Recording(tmp_path)
    at = {e.stamp_ns: (e.x_m, e.y_m) for e in recording.all(events.Ego)}
    late = [c for c in recording.all(events.Candidates) if c.paths]
    assert late and all(c.published_ns - c.t0_ns == 4 * 10**8 for c in late)
    assert all(np.allclose(c.pose[:2], at[c.t0_ns], atol=1e-3) for c in late)


def test_cycles_whose_path_contradicts_the_words_are_counted(speaker: Speaker) -> None:
    assert measured(speaker)['disagreed_cycles'] == 0
    speaker.text = 'intent: slow down'
    row = measured(speaker)
    assert row['disagreed_cycles'] == row['agreement_cycles'] > 0 and row['agreement'] == 0.0


def test_a_recording_goes_on_after_a_contact_and_the_row_does_not(
    speaker: Speaker, tmp_path: Path
) -> None:
    car = Traffic(oncoming=False, stopped_car_probability=1.0, stopped_car_arc_m=60)
    update = {'traffic': car, 'road': RoadShape(straight=True), 'duration_s': 20}
    job = Job(SHORT.model_copy(update=update), 1)
    plain = drive(job, speaker, Options())
    assert plain['end'] == 'collision'
    assert drive(Job(job.scenario, 1, str(tmp_path)), speaker, Options()) == plain
    recording = Recording(tmp_path)
    contact = recording.contact
    assert contact is not None and contact.what == plain['contact'] != ''
    assert contact.stamp_ns == round(plain['duration_s'] * 1e9) == recording.times_ns[-20]
    speed_mps = [recording.ego_at(t)[4] for t in recording.times_ns[-20:]]
    assert (np.diff(speed_mps)[:15] < -0.2).all() and speed_mps[-1] == 0.0
    assert not [p for p in recording.all(events.Plan) if p.stamp_ns >= contact.stamp_ns]


def test_what_is_kept_beside_a_recording_is_what_words_are_scored_by(tmp_path: Path) -> None:
    """In town too: the light that the pictures show, and only of instants whose 6 s are over."""
    sim = Town(load_scenario('left_people_cross'), 101)
    track, last = FactTrack(), 75
    for step in range(last):
        track.look(sim, sim.truth(), step, sim.images())
        sim.step(0.0, 0.0)
    scene_facts.write(tmp_path, track.records(sim.ego))
    kept = scene_facts.read(tmp_path)
    found = list(track.judged_by(sim.ego))
    assert [t0 for t0, *_ in found] == list(kept) == list(range(last))
    for t0, true, hidden in found:
        assert {k: set(v) for k, v in kept[t0].true.items()} == true
        assert {k: set(v) for k, v in kept[t0].unjudged.items()} == hidden
    assert any(k.true['light'] for k in kept.values())
    assert all(k.gap_m is None or 0.0 <= k.gap_m < 60.0 for k in kept.values())
    sim.close()
