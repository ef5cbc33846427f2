"""The page of a replay: verdict first, alone, escaped, and honest about what is missing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import recorded
import summaries
from summaries import Cell, replay

from alpamayo_ros.recording.recording import EVENTS, Recording
from alpamayo_ros.replay.replay_figures import DEFINITIONS
from alpamayo_ros.reports import report_tables
from alpamayo_ros.reports.pages import figure, percent
from alpamayo_ros.reports.plots_replay import picture_ages
from alpamayo_ros.reports.report_replay import page


@pytest.fixture(scope='module')
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    out = tmp_path_factory.mktemp('out')
    (out / 'summary.json').write_text('{}')
    return Recording(recorded.write(out / 'recording', steps=60))


@pytest.fixture(scope='module')
def shown(recording: Recording) -> str:
    return page(replay(), recording)


def text(html: str) -> str:
    """What a person reads, in one line."""
    plain = re.sub(r'(?s)<style>.*?</style>|<svg.*?</svg>|<[^>]+>', ' ', html)
    return re.sub(r'\s+', ' ', plain)


def test_the_verdict_comes_first_and_in_colour(shown: str):
    assert '<div class="verdict good">84 of 88 timesteps' in shown
    assert shown.index('class="verdict') < shown.index('<table')
    assert shown.index('class="verdict') < shown.index('class="note"')
    assert 'Replay of drive.mcap' in text(shown).partition('84 of 88')[0]


@pytest.mark.parametrize(
    ('word', 'complete', 'colour'),
    [
        ('fail', True, 'bad'), ('not evaluable', True, 'warn'), ('pass', False, 'warn'),
        ('fail', False, 'bad'),
    ],
)  # fmt: skip
def test_other_verdicts_have_other_colours(
    recording: Recording, word: str, complete: bool, colour: str
):
    shown = page(replay(verdict=word, complete=complete), recording)
    assert f'class="verdict {colour}"' in shown
    assert ('Incomplete: 84 of 88' in shown) == (not complete)


def test_an_incomplete_replay_says_so_at_the_top(recording: Recording):
    broken = 'cut off at byte 4711 after 12 messages'
    shown = text(page(replay(complete=False, broken=broken), recording))
    head = shown.partition('Figures')[0]
    assert 'not the whole recording' in head and broken in head


def test_nothing_comes_from_outside_and_every_link_leads_somewhere(
    shown: str, recording: Recording
):
    links = re.findall(r'(?:src|href)="([^"]*)"', shown)
    places = [link for link in links if not link.startswith(('data:image/jpeg;base64,', '#'))]
    assert 'summary.json' in places
    assert [p for p in places if not (recording.folder.parent / p).exists()] == []
    anchors = {link[1:] for link in links if link.startswith('#')}
    assert anchors <= set(re.findall(r'\bid="([^"]+)"', shown))
    assert not re.search(r'<script|@import|url\((?!#)|https?://(?!www\.w3\.org)', shown)


def test_ids_are_unique_and_pictures_are_described(shown: str):
    ids = re.findall(r'\bid="([^"]+)"', shown)
    assert len(ids) == len(set(ids))
    assert all('alt="' in tag for tag in re.findall(r'<img[^>]*>', shown))
    assert shown.count('role="img" aria-label=') == shown.count('<svg ') >= 3
    assert '<html lang="en">' in shown and 'name="viewport"' in shown


def test_model_and_baseline_stand_side_by_side(shown: str):
    row = text(re.search(r'<tr><th scope="row"[^>]*><abbr[^>]*>l2 at 3s.*?</tr>', shown)[0])
    assert row.split() == ['l2', 'at', '3s', 'm', '2.31', '1.42', '0.89', 'worse', '60', 'm']
    assert '<td class="wrap worse">0.89 worse</td>' in shown
    assert '<td class="wrap better">0.11 better</td>' in shown
    assert 'Distance to the driven path at 3 s.' in shown and 'UniAD' in shown


def test_what_is_not_evaluable_says_why(shown: str):
    said = text(shown)
    assert 'The recording holds no ground_truth/objects collision up to 3s, collision' in said
    assert 'Of the baseline: It has one path, no candidates min ade k 6s' in said
    assert 'nan' not in said.lower().split() and 'None' not in said.split()


def test_faults_have_words(shown: str, recording: Recording):
    said = text(shown)
    assert 'EGO_HISTORY 4 The past motion does not cover' in said
    assert 'NO_SUCH_FAULT 1 Not a fault of this version.' in said
    assert 'Faults None.' in text(page(replay(faults={}), recording))


def test_the_worst_moments_have_a_frame_and_the_words(shown: str):
    assert shown.count('data:image/jpeg;base64,') == 2 * shown.count('<figure class="scene')
    assert 'I brake because a car stands ahead' in shown
    assert 'hardest braking' in shown


def rewritten(folder: Path, *without: str) -> Recording:
    """The recording without the events of some kinds."""
    recorded.write(folder, steps=60)
    lines = (folder / EVENTS).read_text().splitlines(keepends=True)
    kept = [x for x in lines if not any(f'"kind":"{kind}"' in x for kind in without)]
    (folder / EVENTS).write_text(''.join(kept))
    return Recording(folder)


def test_egomotion_alone_is_a_page_without_frames_that_says_so(tmp_path: Path):
    kinds = ('image', 'candidates', 'plan', 'words', 'health', 'timing', 'objects', 'route')
    lack = 'camera front: no pictures on <camera>; take it out of `assumed`'
    alone = rewritten(tmp_path, *kinds)
    counts = {'timesteps': 60, 'pictures': 0}
    shown = page(replay(verdict='not evaluable', lacks=(lack,), counts=counts), alone)
    assert 'holds no pictures: this page has no frames' in shown
    assert 'No model took part' in shown and ', no camera, rig sim' in shown
    assert 'class="ahead"' not in shown and '<figure class="scene blind">' in shown
    assert 'no pictures on &lt;camera&gt;' in shown and '--incomplete' in shown
    assert 'take it out of <code>assumed</code>' in shown


def test_pictures_that_were_not_kept_are_not_said_to_be_missing(tmp_path: Path):
    shown = page(replay(counts={'pictures': 51}), rewritten(tmp_path, 'image'))
    assert 'No picture was kept' in shown and 'holds no pictures' not in shown


def test_an_empty_recording_is_a_page_too(tmp_path: Path):
    folder = recorded.write(tmp_path, steps=1)
    (folder / EVENTS).write_text('')
    shown = page(replay(verdict='fail', complete=False, metrics={}, faults={}), Recording(folder))
    assert 'There is no moment to show.' in shown and 'Nothing could be measured.' in shown


def test_pictures_without_odometry_are_no_error(tmp_path: Path):
    shown = page(replay(), rewritten(tmp_path, 'ego', 'plan', 'candidates'))
    assert 'holds no odometry' in shown and 'There is no moment to show.' in shown


def test_words_and_names_cannot_become_markup(tmp_path: Path):
    folder = recorded.write(tmp_path, steps=40)
    path = folder / EVENTS
    words = path.read_text().replace('I brake because', '<script>alert(1)</script>')
    path.write_text(words)
    evil = {**summaries.SUMMARY.identity, 'bag': {'name': '<b>bag</b>', 'sha256': ''}}
    shown = page(replay(identity=evil, sentence='<i>well</i>'), Recording(folder))
    assert '<script' not in shown and '<b>bag' not in shown and '<i>well' not in shown
    assert '&lt;script&gt;alert(1)' in shown


def test_the_film_and_the_bag_of_plans_are_linked_where_they_are(tmp_path: Path):
    recording = Recording(recorded.write(tmp_path / 'recording', steps=20))
    assert 'drive.mp4' not in page(replay(), recording)
    for name in ('drive.mp4', 'plans.mcap'):
        (tmp_path / name).write_bytes(b'')
    shown = page(replay(), recording)
    assert '<video controls preload="metadata" src="drive.mp4">' in shown
    assert 'href="plans.mcap"' in shown


def test_a_metric_that_nobody_defined_is_still_shown():
    (group,) = report_tables.grouped({'zeal': {'model': 1.5, 'n': 3, 'unit': 'm'}}, DEFINITIONS)
    (row,) = group.rows
    assert (group.title, row.model, row.sentence) == ('More', '1.50', '')
    assert row.why == ('', 'No reason was given')
    empty = report_tables.row('zeal', {}, None)
    assert empty.empty and empty.model == '–'


@pytest.mark.parametrize(
    ('model', 'baseline', 'better', 'said'),
    [
        (1.0, 2.0, 'lower', ('1.00 better', 'better')),
        (1.0, 2.0, 'higher', ('1.00 worse', 'worse')),
        (2.0, 2.001, 'lower', ('the same', '')), (None, 2.0, 'lower', ('', '')),
        (0.5, 0.4, '', ('', '')), (0.0, 0.0, 'lower', ('the same', '')),
    ],
)  # fmt: skip
def test_what_the_model_adds(
    model: float | None, baseline: float, better: str, said: tuple[str, str]
):
    assert report_tables.difference(model, baseline, better, 'm') == said


def test_a_difference_of_shares_is_in_percentage_points():
    said = report_tables.difference(0.2, 0.724, 'lower', report_tables.SHARE)
    assert said == ('52.4 percentage points better', 'better')


def test_refusals_without_a_fault_are_explained(recording: Recording):
    counts = {'timesteps': 90, 'plans': 72, 'refusals': 18, 'refusals_before_begin': 11}
    said = text(page(replay(counts=counts), recording))
    assert '11 of the 18 refusals are no fault: the model proposed, but the driver' in said
    assert 'are no fault' not in text(page(replay(), recording))


def test_every_metric_of_a_replay_has_a_group_with_a_name():
    cells = {name: {'model': 1.0, 'unit': d.unit} for name, d in DEFINITIONS.items()}
    groups = report_tables.grouped(cells, DEFINITIONS)
    assert 'More' not in [g.title for g in groups]
    assert sum(len(g.rows) for g in groups) == len(DEFINITIONS)
    assert all(Cell(None, 0).value is None and row.sentence for g in groups for row in g.rows)


def test_the_age_of_the_oldest_picture_is_that_of_the_camera_that_fell_silent(tmp_path: Path):
    folder = recorded.write(tmp_path, steps=20)
    path = folder / EVENTS
    lines = path.read_text().splitlines(keepends=True)
    late = recorded.START_NS + 10 * recorded.STEP_NS
    kept = [x for x in lines if '"camera":"rear"' not in x or json.loads(x)['stamp_ns'] <= late]
    path.write_text(''.join(kept))
    ages = picture_ages(Recording(folder))
    assert ages[:11, 1].tolist() == [0.0] * 11
    assert ages[-1].tolist() == pytest.approx([1.9, 900.0])


def test_figures_read_well():
    values = (0.0, 0.0123, 0.456, 4.56, 45.64, 456.7, 45678, None, float('nan'), -0.5)
    assert [figure(v) for v in values] == [
        '0', '0.012', '0.46', '4.56', '45.6', '457', '45\u202f678', '–', '–', '-0.50',
    ]  # fmt: skip
    assert (percent(0.256), percent(None)) == ('26\u00a0%', '–')


def test_nested_facts_become_lines():
    facts = {'bag': {'name': 'a', 'sha256': ''}, 'seeds': [1, 2], 'left_lane': True, 'stops': 0}
    assert report_tables.flat(facts) == [
        ('bag name', 'a'), ('seeds', '1, 2'), ('left lane', 'yes'), ('stops', '0'),
    ]  # fmt: skip
