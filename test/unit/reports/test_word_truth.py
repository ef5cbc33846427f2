"""Words are quoted where the simulator's truth bears them out, and not where it does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import recorded

from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
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


def changed(folder: Path, **run: str) -> Recording:
    recorded.write(folder)
    info = json.loads((folder / 'run.json').read_text())
    (folder / 'run.json').write_text(json.dumps({**info, **run}))
    return Recording(folder)


def test_a_map_with_signals_and_a_recorded_drive_cannot_be_judged(tmp_path: Path):
    assert WordTruth(changed(tmp_path / 'same')).holds(TRUE)
    assert not WordTruth(changed(tmp_path / 'town', scenario='town_drive')).holds(TRUE)
    assert not WordTruth(changed(tmp_path / 'bag', origin='replay')).holds(TRUE)


def test_without_recorded_road_users_nothing_holds(tmp_path: Path):
    path = recorded.write(tmp_path) / 'events.jsonl'
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(''.join(line for line in lines if '"kind":"objects"' not in line))
    assert not WordTruth(Recording(tmp_path)).holds(TRUE)


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
