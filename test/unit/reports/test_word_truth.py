"""Words are quoted where the simulator's truth bears them out, and not where it does not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import recorded

from alpamayo_ros.recording import events, scene_facts
from alpamayo_ros.recording.recording import Recording, Writer
from alpamayo_ros.reports import demo_summary
from alpamayo_ros.reports.word_truth import WordTruth

# The recorded car starts at 5 m/s, 40 m behind the middle of a standing car, and brakes at 3 s.
AT = {'road': 'road straight', 'place': ', in lane centre', 'vehicle': ', standing vehicle ahead'}


def said(step: int, perception: str, situation: str, intent: str) -> events.Words:
    t0 = recorded.START_NS + step * recorded.STEP_NS
    parts = (perception, situation, 'a safe gap must be kept', intent)
    return events.Words(0, t0, 1, *parts, 1.0, '')


TRUE = said(5, ''.join(AT.values()) + ' at 30 m', 'closing on a standing vehicle', 'stop')


@pytest.fixture(scope='module')
def drive(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return Recording(recorded.write(tmp_path_factory.mktemp('truth')))


def test_true_words_hold(drive: Recording):
    assert WordTruth(drive).holds(TRUE)


@pytest.mark.parametrize(
    'words',
    [
        said(5, 'road straight, in lane centre, no vehicle ahead', 'free road', 'stop'),
        said(5, 'road straight, braking vehicle ahead at 30 m', 'closing on a vehicle', 'stop'),
        said(5, 'road straight, standing vehicle ahead at 10 m', 'bend ahead', 'stop'),
        said(5, 'road bends left, standing vehicle ahead at 30 m', 'bend ahead', 'stop'),
        said(5, 'road straight, standing vehicle ahead at 30 m', 'bend ahead', 'keep speed'),
        said(5, 'a person, standing vehicle ahead at 30 m', 'bend ahead', 'stop'),
        said(5, 'red light, standing vehicle ahead at 30 m', 'bend ahead', 'stop'),
    ],
    ids=['no vehicle', 'braking', 'gap', 'bend', 'manoeuvre', 'person', 'light'],
)
def test_false_words_do_not(drive: Recording, words: events.Words):
    assert not WordTruth(drive).holds(words)


def test_words_after_which_the_drive_ends_moving_cannot_be_judged(tmp_path: Path):
    short = Recording(recorded.write(tmp_path, steps=40))
    assert not WordTruth(short).holds(TRUE)


def test_what_cannot_be_seen_need_not_be_said(drive: Recording, tmp_path: Path):
    kept = scene_facts.read(drive.folder)[TRUE.t0_ns]
    lead, none = kept.true['lead'], kept.true | {'lead': []}
    free = said(5, 'road straight, in lane centre', 'free road', 'stop')
    for words, true, unjudged, holds in (
        (free, none, {}, True),
        (free, none, {'lead': lead}, True),
        (TRUE, none, {'lead': lead}, True),
        (TRUE, none, {}, False),
        (free, kept.true, {}, False),
    ):
        scene_facts.write(tmp_path, [replace(kept, true=true, unjudged=unjudged)])
        assert WordTruth(replaced(drive, tmp_path)).holds(words) is holds


def test_words_about_lights_and_people_hold_where_they_are_there(drive: Recording, tmp_path: Path):
    kept = scene_facts.read(drive.folder)[TRUE.t0_ns]
    there = {'light': ['red'], 'lead': [], 'pedestrian': ['crossing', 'present']}
    kept = replace(kept, true=kept.true | there, gap_m=None)
    scene_facts.write(tmp_path, [kept])
    truth = WordTruth(replaced(drive, tmp_path))
    seen = 'road straight, red light at 20 m, pedestrian crossing'
    assert truth.holds(said(5, seen, 'signal ahead', 'stop'))
    assert not truth.holds(said(5, seen.replace('red', 'green'), 'signal ahead', 'stop'))
    assert not truth.holds(said(5, 'road straight, red light at 20 m', 'signal ahead', 'stop'))
    assert not truth.holds(said(5, seen + ', car ahead at 20 m', 'signal ahead', 'stop'))


def replaced(drive: Recording, folder: Path) -> Recording:
    """The same drive with the facts of another folder."""
    (folder / 'events.jsonl').write_bytes((drive.folder / 'events.jsonl').read_bytes())
    (folder / 'run.json').write_bytes((drive.folder / 'run.json').read_bytes())
    return Recording(folder)


def test_without_facts_nothing_holds_and_nobody_can_tell(tmp_path: Path):
    drive = Recording(recorded.write(tmp_path))
    assert WordTruth(drive).can_tell
    (tmp_path / scene_facts.FACTS).unlink()
    assert not WordTruth(drive).can_tell and not WordTruth(drive).holds(TRUE)


def test_another_drive_in_the_folder_is_not_judged_by_the_facts_of_the_first(tmp_path: Path):
    recorded.write(tmp_path)
    Writer(tmp_path).close()
    assert not WordTruth(Recording(tmp_path)).can_tell


def test_damaged_facts_are_named(tmp_path: Path):
    drive = Recording(recorded.write(tmp_path))
    path = tmp_path / scene_facts.FACTS
    for damage in ('{"t0_ns": 1', '{"t0": 1}', '[]', 'null'):
        path.write_text(damage + '\n')
        with pytest.raises(ValueError, match=r'facts\.jsonl is damaged'):
            WordTruth(drive)


def test_the_summary_quotes_true_words_only(tmp_path: Path):
    path = recorded.write(tmp_path) / 'events.jsonl'
    lines = path.read_text().splitlines()
    assert demo_summary.examples([Recording(tmp_path)]) == []  # 'a free road' before a car
    first = next(i for i, line in enumerate(lines) if '"kind":"words"' in line)
    record = {k: getattr(TRUE, k) for k in events.Words.__dataclass_fields__}
    lines.insert(first, json.dumps({'kind': 'words', **record}, separators=(',', ':')))
    path.write_text('\n'.join(lines) + '\n')
    (quoted,) = demo_summary.examples([Recording(tmp_path)])
    assert (quoted.time_s, quoted.intent) == (0.5, 'stop')
