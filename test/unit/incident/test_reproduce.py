"""Decisions of a drive through the record and back: the same bytes, and what makes them others."""

import dataclasses
import json
from dataclasses import replace

import incidents
import numpy as np
import pytest
from drives import ego
from incidents import Recorded
from loop import CONFIG, LATENCY, STEP

from alpamayo_ros import pipeline
from alpamayo_ros.faults import Code, Fault, Reaction
from alpamayo_ros.incident import codec, decision_record, kinds
from alpamayo_ros.incident.kinds import misfit
from alpamayo_ros.incident.reproduce import reproduce, tally
from alpamayo_ros.motion.cost import Weights
from alpamayo_ros.pipeline import Scene
from alpamayo_ros.safety import state as safety
from alpamayo_ros.safety.state import Mode


@pytest.fixture
def drive():
    loop = incidents.drive()
    assert len(loop.decisions) == 30
    return loop


def read(texts):
    return [decision_record.read(text) for text in texts]


def test_a_drive_is_decided_again_to_the_same_bytes(drive):
    found = list(reproduce(read(drive.texts)))
    assert tally(found).same == len(drive.decisions) == 30 and tally(found).whole
    again = [a.decision for a in found]
    assert [d.state.mode for d in again] == drive.modes
    for now, then in zip(again, drive.decisions, strict=True):
        assert codec.encoded(now.state) == codec.encoded(then.state)


def test_few_records_hold_the_state(drive):
    whole = [r for r in read(drive.texts) if r.state is not None]
    assert len(whole) == 1
    drive.run(40)
    assert sum(r.state is not None for r in read(drive.texts)) == 3


def test_what_a_person_did_in_between_is_in_the_record():
    loop = Recorded(config=replace(CONFIG, auto_arm=False))
    loop.run(6)
    loop.state = safety.arm(loop.state, 6 * STEP)
    loop.run(5)
    loop.config = loop.config.lowered(3.0)
    last = loop.run(5)
    assert last.state.mode is Mode.ACTIVE and last.speed_cap_mps == 3.0
    assert tally(reproduce(read(loop.texts))).same == 16


def other_limit(records):
    first = records[0]
    limits = first.config.limits.model_copy(update={'stop_deceleration_mps2': 2.0})
    return [replace(first, config=replace(first.config, limits=limits)), *records[1:]]


def other_candidate(records):
    moved = records[5].proposal.candidates.copy()
    moved[:, 3:, 1] += 1e-3
    proposal = replace(records[5].proposal, candidates=moved)
    return [*records[:5], replace(records[5], proposal=proposal), *records[6:]]


def other_fault(records):
    scene = replace(records[12].scene, faults=())
    return [*records[:12], replace(records[12], scene=scene), *records[13:]]


def other_weight(records):
    first = records[0]
    config = replace(first.config, weights=Weights(comfort=5.0, change=0.0, keep=0.0))
    return [replace(first, config=config), *records[1:]]


def other_health(records):
    health = replace(records[4].health, reason='nothing happened')
    return [*records[:4], replace(records[4], health=health), *records[5:]]


@pytest.mark.parametrize(
    'change', [other_limit, other_candidate, other_fault, other_weight, other_health]
)
def test_another_input_is_seen_as_another_decision(drive, change):
    counts = tally(reproduce(change(read(drive.texts))))
    assert counts.other > 0 and not counts.whole


def test_a_recording_may_begin_anywhere_and_says_what_it_cannot_know(drive):
    drive.run(40)
    records = read(drive.texts)  # the 1st, 31st and 61st of them hold the state
    counts = tally(reproduce(records[5:]))
    assert (counts.same, counts.other, counts.unknown) == (40, 0, 25)
    counts = tally(reproduce([*records[30:40], *records[41:]]))
    assert (counts.same, counts.other, counts.unknown) == (20, 0, 19)
    assert counts.missing == 1 and not counts.whole


def test_nothing_recorded_is_nothing_reproduced():
    assert not tally([]).whole


def test_numbers_survive_to_the_last_bit():
    values = (
        0.1, -0.0, float('nan'), float('inf'), 5e-324, 2**70, True, None, 'a"\n\u202e',
        np.float32(0.1), {'limit_s': 0.3, 'who': 'front'}, Mode.FALLBACK, Reaction.DEGRADE,
        Fault(Code.CAM_LOST),
    )  # fmt: skip
    back = codec.decoded(codec.encoded(values))
    assert codec.encoded(back) == codec.encoded(values)
    assert [type(v) for v in back] == [type(v) for v in values]
    arrays = [np.arange(6, dtype=t).reshape(2, 3) for t in (np.float32, np.float64, np.int64)]
    for array in [*arrays, np.array([True, False]), np.empty((0, 3))]:
        same = codec.decoded(codec.encoded(array))
        assert same.dtype == array.dtype and np.array_equal(same, array)


def test_a_whole_configuration_survives():
    assert codec.decoded(codec.encoded(CONFIG)) == CONFIG


@pytest.mark.parametrize(
    'text',
    [
        '', '[', '{}', '[1]', '{"os": ["rm"]}', '{"tuple": 3}', '{"Mode": "PARKED"}',
        '[' * 100_000, '{"Mode": 9}', '{"Code": "__class__"}', '{"EgoState": {"nope": 1}}',
        '{"EgoState": []}',
        '{"array": ["|O", [1], ""]}', '{"array": ["<f4", [-1], ""]}', '{"array": 1}',
        '{"array": ["<f4", [2], "AA=="]}', '{"array": ["<f4", [99999999999], ""]}',
        '{"array": ["<f4", ["a"], ""]}', '{"array": ["<f4", [1], "***"]}', '{"dict": []}',
        '{"Limits": {"dict": {"skew_s": -1}}}', '{"a": 1, "b": 2}', '{"dict": {"proposal": null}}',
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused(text):
    with pytest.raises(ValueError):
        decision_record.read(text)


@pytest.mark.parametrize(('place', 'value'), [
    (('scene', 'Scene', 'ego_now'), 'nowhere'), (('now_ns',), 1.5), (('now_ns',), 10**400),
    (('health', 'Health', 'stamp_ns'), 2**63), (('health',), None), (('plan',), 3),
    (('scene', 'Scene', 'faults'), {'tuple': [3]}), (('scene', 'Scene', 'objects'), []),
    (('config', 'PlanConfig', 'limits'), {'dict': {}}), (('standstill',), 'yes'),
    (('proposal', 'Proposal', 'candidates'), {'tuple': []}), (('state', 'SafetyState'), []),
])  # fmt: skip
def test_a_record_with_nonsense_in_it_is_refused(drive, place, value):
    tree = json.loads(drive.texts[0])
    at = tree['dict']
    for name in place[:-1]:
        at = at[name]
    at[place[-1]] = value
    with pytest.raises(ValueError):
        decision_record.read(json.dumps(tree))


def test_types_are_checked_without_the_checks_of_the_tests(drive):
    """Under pytest the constructors check too; in use ``misfit`` is alone."""
    record = read(drive.texts)[0]
    assert misfit(record) == misfit(record.scene) == misfit(record.config) == ''
    for field, value in (('ego_now', 'nowhere'), ('faults', (3,)), ('observed_ns', 2**63)):
        scene = replace(record.scene)
        object.__setattr__(scene, field, value)
        assert misfit(scene) == f'Scene.{field}'


def test_a_record_that_cannot_be_decided_is_one_sentence(drive, monkeypatch):
    monkeypatch.setattr(pipeline, 'decide', lambda *_: 1 / 0)
    with pytest.raises(ValueError, match='decision 1 cannot be taken again: division'):
        list(reproduce(read(drive.texts)))


def test_the_scene_of_now_is_kept():
    loop = Recorded()
    here = replace(ego(8.0), stamp_ns=0)
    decision = loop.decide(None, Scene(None, here, p99_cycle_s=0.07), LATENCY)
    (record,) = read(loop.texts)
    assert record.scene.p99_cycle_s == 0.07 and record.now_ns == LATENCY
    assert record.health.sequence == decision.health.sequence == 1


def test_every_declared_type_is_known():
    """A field of a new type is noticed here, not by the first incident."""
    for record in (*kinds.RECORDS.values(), decision_record.DecisionRecord):
        for field in dataclasses.fields(record):
            inner = field.type.removeprefix('tuple[').partition(',')[0]
            names = {name.strip().partition('[')[0].strip(']') for name in inner.split(' | ')}
            assert names <= kinds.PLAIN.keys(), f'{record.__name__}.{field.name}: {field.type}'
