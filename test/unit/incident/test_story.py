"""An incident file read back, and what it tells: when, seen, said, planned, refused."""

from dataclasses import replace

import incidents
import numpy as np
import pytest

from alpamayo_ros.incident import file
from alpamayo_ros.incident.reproduce import reproduce, tally
from alpamayo_ros.incident.story import Story
from alpamayo_ros.safety.state import Mode


@pytest.fixture(scope='module')
def path(tmp_path_factory):
    return incidents.write(tmp_path_factory.mktemp('incidents'))


@pytest.fixture(scope='module')
def story(path):
    found = file.read(path)
    return Story(found, list(reproduce(found.records)))


def test_the_file_says_that_it_is_one(path, tmp_path):
    assert file.is_incident(path)
    other = tmp_path / 'other.mcap'
    other.write_bytes(path.read_bytes()[:-3000])
    assert file.is_incident(other)
    other.write_bytes(b'nothing')
    assert not file.is_incident(other) and not file.is_incident(tmp_path / 'none.mcap')


def test_everything_is_read_back_and_decided_again(path, story):
    found = file.read(path)
    assert found.fault is None and found.unread == []
    assert len(found.records) == len(found.pictures) == 30
    assert found.events == (incidents.event(incidents.drive()),)
    assert tally(story.again).same == 30


def test_a_damaged_file_gives_what_lies_before_the_damage(path, tmp_path):
    damaged = tmp_path / 'damaged.mcap'
    damaged.write_bytes(path.read_bytes()[:-8])
    found = file.read(damaged)
    assert found.fault is not None and len(found.records) == 30 and len(found.events) == 1
    damaged.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = file.read(damaged)
    assert found.fault is not None and len(found.events) == 1


def test_records_that_are_none_are_counted_and_left_out(tmp_path):
    loop = incidents.drive()
    loop.texts[3] = '{"os": 1}'
    found = file.read(incidents.write(tmp_path, loop))
    assert len(found.unread) == 1 and len(found.records) == 29
    counts = tally(reproduce(found.records))
    assert counts.other == 0 and counts.unknown == 26


@pytest.mark.parametrize('events', [
    '', '[', '3', '[3]', '[{}]', '[{"what": "FAULT", "at_ns": 1e400, "time_ns": 0, "reason": ""}]',
    '[{"what": "FAULT", "at_ns": 0, "time_ns": ' + '9' * 400 + ', "reason": ""}]',
    '[{"what": 3, "at_ns": 0, "time_ns": 0, "reason": ""}]', '[' * 100_000,
])  # fmt: skip
def test_events_that_are_none_are_left_out(path, monkeypatch, events):
    told = {**file.read(path).about, 'events': events}
    monkeypatch.setattr(file, 'about', lambda _: told)
    assert file.read(path).events == ()


def test_changes_have_their_reason_and_the_faults_with_numbers(story):
    changes = [(c.before, c.after) for c in story.changes]
    assert (Mode.READY, Mode.ACTIVE) in changes
    (end,) = [c for c in story.changes if c.after is Mode.FALLBACK]
    assert end.at_s == 0.0 and 'silent_s=0.31' in end.reason
    assert any('front. (silent_s=0.31)' in text for text in end.faults)


def test_arming_between_two_decisions_is_told(story):
    moved = list(story.again)
    health = replace(moved[5].record.health, previous_mode=Mode.READY)
    moved[5] = replace(moved[5], record=replace(moved[5].record, health=health))
    changes = Story(story.incident, moved).changes
    assert any('from outside a decision' in c.reason for c in changes)


def test_states_and_faults_are_spans_that_touch(story):
    states = story.states
    assert [s.name for s in states][:3] == ['INIT', 'READY', 'ACTIVE']
    for one, two in zip(states, states[1:], strict=False):
        assert one.end_s == two.start_s
    lost = [s for s in story.fault_spans if s.name == 'CAM_MANDATORY_LOST']
    assert len(lost) == 1 and lost[0].start_s == 0.0
    assert lost[0].end_s == pytest.approx(0.7)
    (row,) = [f for f in story.faults if f.name == 'CAM_MANDATORY_LOST']
    assert row.held_s == pytest.approx(0.7) and '0.31' in row.text


def test_words_are_told_where_they_change(story):
    assert [s.parts['intent'] for s in story.said] == ['slow down', 'drive on']
    assert story.said[0].at_s < 0 < story.said[1].at_s


def test_refused_candidates_by_check_with_the_worst_value(story):
    found = {r.check: r for r in story.rejections}
    assert found
    for rejection in found.values():
        assert rejection.worst > rejection.limit and rejection.first_s < 0
    counts = {}
    for item in story.again:
        for name, count in item.record.health.rejected.items():
            counts[name] = counts.get(name, 0) + count
    assert {r.check: r.candidates for r in found.values()} == counts


def test_motion_pictures_and_plans(story):
    rows = story.motion.rows
    assert (np.diff(rows[:, 0]) > 0).all() and len(rows) == 30
    assert story.motion.at(99.0) is None
    x, _, speed = story.motion.at(0.0)
    assert x > 0 and speed == pytest.approx(7.4, abs=0.2)
    at_s, data = story.picture(0.0)
    assert -0.11 < at_s <= 0.0 and data == incidents.picture(round((at_s - rows[0, 0]) * 10))
    assert story.picture(-99.0) is None
    assert {p.source for _, p in story.plans} == {'model', 'fallback'}


def test_a_file_without_anything_tells_nothing(tmp_path):
    loop = incidents.Recorded()
    found = file.read(incidents.write(tmp_path, loop, events=()))
    story = Story(found, [])
    assert not (story.changes or story.states or story.faults or story.said or story.plans)
    assert story.motion.at(0.0) is None and story.picture(0.0) is None
