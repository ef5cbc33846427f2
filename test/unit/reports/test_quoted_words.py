"""The demo page quotes each drive whose words can be judged, and says of which it cannot."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import recorded

from alpamayo_ros.film.director import Director
from alpamayo_ros.film.top_view import Car
from alpamayo_ros.recording import events, scene_facts
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports import demo_summary, report
from alpamayo_ros.reports.recorded_road import road_of

PLACE = 'road straight, in lane centre, standing vehicle ahead'


def drive(folder: Path, number: int, **run: str) -> Recording:
    """True words at 0.5 s, worded so that no two drives say the same."""
    path = recorded.write(folder) / 'events.jsonl'
    t0 = recorded.START_NS + 5 * recorded.STEP_NS
    parts = (f'{PLACE} at 30 m', 'closing on a standing vehicle', f'reason {number}', 'stop')
    words = events.Words(0, t0, 1, *parts, 1.0, '', 'without it, I would drive on')
    row = {'kind': 'words', **{k: getattr(words, k) for k in words.__dataclass_fields__}}
    lines = [x for x in path.read_text().splitlines() if '"kind":"words"' not in x]
    path.write_text('\n'.join([*lines, json.dumps(row, separators=(',', ':'))]) + '\n')
    info = json.loads((folder / 'run.json').read_text())
    (folder / 'run.json').write_text(json.dumps({**info, **run}))
    return Recording(folder)


def page(recordings: list[Recording]) -> str:
    """What a person reads of the words."""
    result = {
        'name': 'stopped_car', 'seed': 7, 'mode': 'lockstep', 'duration_s': 7.0, 'score': 1.0,
        'distance_m': 21.0, 'collisions_at_fault': 0, 'offroad_s': 0.0, 'progress': 0.9,
        'end': 'stopped',
    }  # fmt: skip
    rows = [demo_summary.ScenarioRow.model_validate(result) for _ in recordings]
    found = demo_summary.summarise(rows, recordings, None)
    directors = [Director(r, Car(), road_of(r)) for r in recordings]
    html = report.page(found, [result] * len(recordings), directors)
    return re.sub(r'\s+', ' ', re.sub(r'<[^>]+>', ' ', html.partition('What it said')[2]))


@pytest.fixture(scope='module')
def drives(tmp_path_factory: pytest.TempPathFactory) -> list[Recording]:
    return [drive(tmp_path_factory.mktemp('drive'), number) for number in range(5)]


def test_every_drive_is_quoted_once(drives: list[Recording]):
    quoted = [e.rationale for e in demo_summary.examples(drives)]
    assert quoted == [f'reason {number}' for number in range(5)]
    said = page(drives)
    assert all(said.count(part) == 5 for part in ('counterfactual without it', 'intent stop'))


def test_a_drive_in_town_is_quoted_as_any_other(drives: list[Recording], tmp_path: Path):
    said = page([drives[0], drive(tmp_path, 9, scenario='left_people_cross')])
    assert 'reason 0' in said and 'reason 9' in said and 'Nothing is quoted' not in said


def test_of_a_drive_without_facts_it_says_why_nothing_is_quoted(
    drives: list[Recording], tmp_path: Path
):
    lost = drive(tmp_path, 9, scenario='left_people_cross')
    (tmp_path / scene_facts.FACTS).unlink()
    said = page([drives[0], lost])
    assert 'reason 0' in said and 'reason 9' not in said
    assert 'Nothing is quoted of “Left people cross”: its recording lacks facts.jsonl' in said


def test_words_that_are_not_borne_out_are_not_silence(tmp_path: Path):
    assert 'No words of these drives are borne out' in page([Recording(recorded.write(tmp_path))])


def test_a_drive_without_words_is_silence(tmp_path: Path):
    path = recorded.write(tmp_path) / 'events.jsonl'
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(''.join(x for x in lines if '"kind":"words"' not in x))
    said = page([Recording(tmp_path)])
    assert 'No chain of causation was published.' in said and 'borne out' not in said
