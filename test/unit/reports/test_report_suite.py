"""The page of a suite: verdict first, intervals beside figures, worst drives, alone, escaped."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
import recorded
from summaries import row, rows, suite

from alpamayo_ros.metrics import scores
from alpamayo_ros.metrics.suite_figures import FIGURES
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports import report_suite, suite_drives
from alpamayo_ros.reports.report_suite import page


@pytest.fixture(scope='module')
def drive(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder = tmp_path_factory.mktemp('page') / 'runs' / 'crossing_pedestrian_a_1'
    recorded.write(folder, steps=60)
    (folder / 'drive.mp4').write_bytes(b'')
    return Recording(folder)


@pytest.fixture(scope='module')
def shown(drive: Recording) -> str:
    return page(suite(), [(rows()[1], drive)])


def text(page: str) -> str:
    """What a person reads, in one line."""
    plain = re.sub(r'(?s)<style>.*?</style>|<svg.*?</svg>|<[^>]+>', ' ', page)
    return html.unescape(re.sub(r'\s+', ' ', plain))


def test_the_verdict_comes_first_with_its_interval(shown: str):
    first = re.search(r'<div class="verdict bad">(.*?)</div>', shown)[1]
    assert first.startswith('1 of 10 drives ended with a contact at fault or off the road; drive')
    assert re.search(r'drive score 0\.\d+ \(95 %: 0\.\d+ to 0\.\d+\)\.$', first)
    assert shown.index('class="verdict') < shown.index('<table')
    assert '10 drives of 5 templates in 3 families' in text(shown)


@pytest.mark.parametrize(
    ('report', 'colour', 'start'),
    [
        (suite([row('cut_in_a'), row('cut_in_b')]), 'good', 'none of 2 drives'),
        (
            suite([row('cut_in_a', right=False, end='stalled')]),
            'warn',
            'the one drive ended neither',
        ),
        (
            suite([row('cut_in_a', collisions_at_fault=1, right=False)]),
            'bad',
            'the one drive ended with a contact',
        ),
        (suite([row('cut_in_a')], limit=1), 'warn', 'Incomplete: the one drive ended neither'),
        (suite([row('cut_in_a')], complete=False), 'warn', 'Incomplete: '),
        (suite([]), 'bad', 'No drive was finished.'),
    ],
)
def test_verdicts_have_colours(report: dict, colour: str, start: str):
    assert f'<div class="verdict {colour}">{start}' in page(report, [])


def test_what_lowers_the_worth_of_a_suite_is_said_at_its_top():
    task = {'objects': 'truth', 'ablate': 'cameras=black'}
    planner = {'name': 'expert', 'manifest_sha256': ''}
    shown = page(suite(limit=3, complete=False, task=task, planner=planner), [])
    head = text(shown.partition('Figures')[0])
    for words in ('first 3 runs', 'Not all drives', 'told the truth', 'objects truth', 'black'):
        assert words in head


def test_every_figure_has_its_interval_and_its_meaning(shown: str):
    said = text(shown)
    assert set(scores.FIGURES) == set(FIGURES)
    for name, definition in FIGURES.items():
        assert f'{name.replace("_", " ")}' in said and definition.sentence[:30] in said
    assert 'km per incident 1.80 0.60 to unbounded km' in said


def test_a_suite_without_incident_says_what_its_distance_proves():
    shown = text(page(suite([row('cut_in_a'), row('cut_in_b')]), []))
    assert 'Not evaluable: no incident in 0.36 km: at 95 % more than 0.12 km' in shown


def test_families_are_listed_from_the_worst(shown: str):
    table = text(shown[shown.index('agreement</th>') :])
    order = [table.index(name) for name in ('night', 'crossing pedestrian', 'cut in')]
    assert order == sorted(order)
    assert re.search(r'crossing pedestrian 4 0\.\d+ 0\.\d+ to 0\.\d+ 0\.75', table)
    assert 'reached the end of the route 7 good' in text(shown)


def test_the_worst_drive_has_film_frames_and_words(shown: str, drive: Recording):
    assert 'href="runs/crossing_pedestrian_a_1/drive.mp4"' in shown
    assert 'The car made contact (pedestrian) after 180 m' in text(shown)
    assert shown.count('<figure class="scene') == report_suite.EVENTS + 1
    assert 'I brake because a car stands ahead' in shown


def test_every_link_leads_somewhere_and_nothing_comes_from_outside(shown: str, drive: Recording):
    links = re.findall(r'(?:src|href)="([^"]*)"', shown)
    places = [link for link in links if not link.startswith(('data:image/jpeg;base64,', '#'))]
    root = drive.folder.parent.parent
    assert places and [p for p in places if not (root / p).exists()] == []
    assert not re.search(r'<script|@import|url\((?!#)|https?://(?!www\.w3\.org)', shown)
    ids = re.findall(r'\bid="([^"]+)"', shown)
    assert len(ids) == len(set(ids))
    assert all('alt="' in tag for tag in re.findall(r'<img[^>]*>', shown))


def test_without_recordings_it_says_how_to_get_them(tmp_path: Path):
    assert '--report DIR --worst 5' in text(page(suite(), []))
    silent = Recording(recorded.write(tmp_path / 'runs' / 'a_0', steps=20))
    assert 'drive.mp4' not in page(suite(), [(rows()[0], silent)])


def test_every_drive_is_listed(shown: str):
    table = shown[shown.index('Every drive') :]
    assert len(re.findall(r'<tr class="[a-z ]*" style', table)) == 10
    assert 'crossing_pedestrian_a' in table and 'stood still without a reason' in table


def test_names_cannot_become_markup():
    evil = row('cut_<i>in</i>_a', end='<b>end</b>')
    shown = page(suite([evil], suite='<u>test</u>'), [])
    assert '<i>in' not in shown and '<b>end' not in shown and '<u>test' not in shown


def test_the_table_of_drives_can_be_sorted_and_narrowed_without_a_script(shown: str):
    table = shown[shown.index('Every drive') :]
    places = [int(p) for p in re.findall(r'--drive_score: (\d+);', table)]
    assert sorted(places) == list(range(1, 11))
    scores_of = [r['drive_score'] for r in rows()]
    assert scores_of[places.index(1)] == min(scores_of)
    assert table.count('<tr class="failed incident"') == 1
    for order in suite_drives.ORDERS:
        assert f'value="{order}"' in table
        assert f'[value={order}]:checked) tbody tr > * {{ order: var(--{order})' in shown


def shown_when(page_: str, kind: str) -> str:
    """What stands below the table when a kind is chosen, by the page's own style."""
    said = re.search(rf'<p class="none {kind}">([^<]*)</p>', page_)
    style = f'.drives:has([value={kind}]:checked) .none.{kind} {{ display: block; }}'
    assert (style in page_) == bool(said) and '.drives .none { display: none; }' in page_
    return said[1] if said else ''


def test_a_filter_without_a_row_says_so(shown: str):
    good = page(suite([row('cut_in_a')]), [], suite([row('cut_in_a')]))
    assert shown_when(good, 'failed') == 'No row matches this filter: no drive failed.'
    assert 'left the road' in shown_when(good, 'incident')
    assert 'scored otherwise' in shown_when(good, 'changed')
    assert shown_when(shown, 'failed') == shown_when(shown, 'incident') == ''


def test_counts_of_one_are_singular():
    one = page(suite([row('cut_in_a')], limit=1), [])
    assert '1 drive of 1 template in 1 family,' in text(one)
    assert 'those of the first run (--limit)' in text(one)


def test_rows_without_a_value_come_last():
    found = suite_drives.lines(
        [{**row('cut_in_a'), 'drive_score': None}, row('cut_in_b')], ['', ''], {}
    )
    assert [line.places['drive_score'] for line in found] == [2, 1]


def test_two_models_stand_side_by_side():
    better = [{**r, 'drive_score': 1.0} for r in rows()]
    before, now = suite(rows()), suite(better)
    shown = page(now, [], before)
    assert 'Beside ' in shown and '<th>before</th><th>now</th>' in shown
    changed = [r for r in rows() if r['drive_score'] != 1.0]
    assert len(re.findall(r'<tr class="[a-z ]*changed"', shown)) == len(changed) > 0
    other = page(now, [], suite(rows()[:4]))
    assert 'the runs differ' in other and 'scored otherwise' not in other


def test_a_contact_is_shown_a_second_before_it_and_a_drive_has_its_page(drive: Recording):
    alone = report_suite.drive_page(rows()[1], drive)
    assert 'one second before the contact' in alone and 'made contact (pedestrian)' in alone
    assert 'src="drive.mp4"' in alone and 'poster="data:image/jpeg' in alone
    assert 'href="../../report.html"' in alone and '<script' not in alone
    (drive.folder / report_suite.PAGE).write_text(alone)
    linked = page(suite(), [(rows()[1], drive)])
    assert 'href="runs/crossing_pedestrian_a_1/drive.html"' in linked


@pytest.mark.filterwarnings('error')
def test_a_family_of_any_name_leaves_its_plot_room():
    endless = 'unterbrechungsfrei_' * 12
    shown = page(suite([row(f'{endless}_a'), row('日本語_a'), row('cut_in_a')]), [])
    drawn = re.search(r'(?s)<svg.*?</svg>', shown)[0]
    assert 'unterbrechungsfrei unterb…' in drawn and '日本語' in drawn
    assert endless.replace('_', ' ').strip() in text(shown)  # whole in the table below the plot


def beside(before: dict, now: dict) -> str:
    return text(page(now, [], before).partition('Beside ')[2].partition('By family')[0])


def test_figures_of_other_runs_are_neither_better_nor_worse():
    shown = beside(suite([row('cut_in_a'), row('cut_in_b')]), suite())
    assert 'Not like with like: the runs differ: 2 before, 10 now, 2 the same' in shown
    assert 'Worse than before' not in shown and 'worse ' not in shown and 'better ' not in shown
    assert '0.93' in shown  # both figures are shown all the same


def test_what_was_asked_for_otherwise_stands_beside_the_figures():
    other = {**suite()['task'], 'objects': 'truth'}
    shown = beside(suite(task=other), suite())
    assert "Not like with like: objects 'truth' before, 'none' now" in shown
    assert 'Not like with like' not in beside(suite(), suite())
