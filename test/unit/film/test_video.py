"""Film and report: frames show what was recorded, the file plays, the page stands alone."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import recorded

from alpamayo_ros.film import canvas, captions, video
from alpamayo_ros.film.camera_boxes import NAMED, camera_boxes
from alpamayo_ros.film.dashboard import HEIGHT, VIEW_BOX, WORDS_BOX, Dashboard, FrameContent
from alpamayo_ros.film.director import Director, carried
from alpamayo_ros.film.top_view import (
    Car,
    Road,
    Scene,
    TopView,
    box_corners,
    to_base,
)
from alpamayo_ros.palette import PLAN, of_cost
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports import demo_summary as summary
from alpamayo_ros.reports import plots, report

RESULT = {
    'name': 'stopped_car', 'seed': 7, 'mode': 'free', 'duration_s': 7.0, 'distance_m': 21.0,
    'collisions_at_fault': 0, 'offroad_s': 0.0, 'progress': 0.9, 'score': 1.0, 'end': 'stopped',
}  # fmt: skip


@pytest.fixture(scope='module')
def director(tmp_path_factory: pytest.TempPathFactory) -> Director:
    recording = Recording(recorded.write(tmp_path_factory.mktemp('film'), mode='free'))
    road = Road(np.stack([np.arange(-20.0, 60.0, 0.5), np.zeros(160)], 1))
    return Director(recording, Car(), road)


def test_a_frame_shows_cameras_words_and_speed(director: Director):
    content = director.content(director.recording.times_ns[10])
    assert content.speed_mps == pytest.approx(5.0) and content.state == 'ACTIVE'
    assert content.words['perception'] == 'a free road'
    frame = Dashboard().compose(content)
    assert frame.shape == (720, 1280, 3)
    for x, y, w, h in NAMED.values():
        seen = frame[y + h // 2, x + w // 2].astype(int)
        assert np.abs(seen - [40, 120, 200]).max() < 8
    silent = Dashboard().compose(FrameContent('', '', 0.0, content.scene))
    x, y, w, h = WORDS_BOX
    assert (frame[y : y + h, x : x + w] != silent[y : y + h, x : x + w]).any()


@pytest.mark.parametrize('extra', [('tele',), ('tele', 'left_eye', 'right_eye'), tuple('abcdef')])
def test_every_further_camera_is_drawn_and_none_covers_another(extra: tuple[str, ...]):
    names = [*NAMED, *extra]
    images = {n: np.full((64, 64, 3), 20 * i + 10, np.uint8) for i, n in enumerate(names)}
    frame = Dashboard().compose(FrameContent('', '', 0.0, Scene((0.0, 0.0, 0.0)), images=images))
    taken = np.zeros(frame.shape[:2], int)
    for name, (x, y, w, h) in camera_boxes(names).items():
        taken[y : y + h, x : x + w] += 1
        assert frame[y + h // 2, x + w // 2].tolist() == images[name][0, 0].tolist()
    assert taken.max() == 1 and len(camera_boxes(names)) == len(names)
    assert taken[:68].sum() == 0 and taken[:, VIEW_BOX[0] :].sum() == 0
    assert taken[WORDS_BOX[1] : HEIGHT].sum() == 0


def test_a_recording_with_a_seventh_camera_shows_seven(tmp_path: Path):
    recorded.write(tmp_path, steps=3)
    path = tmp_path / 'events.jsonl'
    lines = path.read_text().splitlines()
    tele = [line.replace('"rear"', '"tele"') for line in lines if '"camera":"rear"' in line]
    path.write_text('\n'.join([*lines, *tele]) + '\n')
    seven = Director(Recording(tmp_path), Car(), None)
    images = seven.content(seven.recording.times_ns[-1]).images
    assert images.keys() == {*NAMED, 'tele'}
    assert all(image is not None for image in images.values())


def test_the_scene_puts_ahead_up_and_left_left():
    view = TopView(400, 600)
    ahead, left = view.pixels(np.array([[10.0, 0.0], [0.0, 5.0]]))
    assert ahead[1] < view.origin[1] and ahead[0] == view.origin[0]
    assert left[0] < view.origin[0] and left[1] == view.origin[1]


def test_the_plan_is_drawn_where_it_leads():
    view = TopView(400, 600)
    chosen = np.stack([np.linspace(0.5, 30, 60), np.zeros(60)], 1)
    picture = view.draw(Scene((3.0, 4.0, 1.0), chosen=chosen), Car())
    x, y = view.pixels(np.array([[20.0, 0.0]]))[0].round().astype(int)
    assert tuple(picture[y, x].tolist()) == PLAN


def test_other_cars_are_seen_from_the_pose():
    box = events.Box(1, 'car', 10.0, 5.0, np.pi / 2, 0.0, 4.0, 2.0)
    corners = box_corners(box, (10.0, 0.0, np.pi / 2))
    assert corners.mean(0) == pytest.approx([5.0, 0.0])
    assert corners[0] == pytest.approx([7.0, 1.0])
    assert to_base(np.array([[10.0, 1.0]]), (10.0, 0.0, np.pi / 2))[0] == pytest.approx([1, 0])


def test_costs_have_colours_and_none_is_grey():
    assert of_cost(0.0, 0.0, 1.0) != of_cost(1.0, 0.0, 1.0)
    assert len(set(of_cost(None, 0.0, 1.0))) == 3 and of_cost(2.0, 2.0, 2.0)


def test_candidates_of_an_earlier_t0_are_carried_to_the_present_pose():
    moved = carried(np.array([[10.0, 0.0]]), [0.0, 0.0, 0.0], (4.0, 0.0, 0.0))
    assert moved[0] == pytest.approx([6.0, 0.0])


def test_a_fault_is_written_with_its_sentence():
    health = events.Health(
        0,
        0,
        0,
        4,
        'stop',
        ['FRAMES_LATE'],
        ['Frames are late. (age_s=0.6) Wait.'],
        None,
        0,
        0,
        0,
        0,
        0,
        '',
    )
    assert captions.sentence(health) == 'FRAMES_LATE: Frames are late.'
    fine = events.Health(0, 0, 0, 2, 'armed', [], [], None, 0, 0, 0, 0, 0, '')
    assert captions.sentence(fine) == ''
    assert 'test double' in captions.runtime_label('scripted', 'nano')


def test_the_model_is_called_by_its_own_name(director: Director, tmp_path: Path):
    assert captions.runtime_label('onnx', 'big') == 'big · onnx'
    recorded.write(tmp_path, steps=3)
    path = tmp_path / 'events.jsonl'
    path.write_text(path.read_text().replace('"profile":"nano"', '"profile":"big"'))
    other = Director(Recording(tmp_path), Car(), None)
    assert other.content(other.recording.times_ns[-1]).runtime.startswith('big')


def test_before_there_is_a_plan_the_words_are_those_of_the_proposal(tmp_path: Path):
    recorded.write(tmp_path, steps=3)
    path = tmp_path / 'events.jsonl'
    kept = [line for line in path.read_text().splitlines() if '"kind":"words"' not in line]
    said = [
        line.replace('"text":""', '"text":"perception: a bend\\nintent: wait"') for line in kept
    ]
    path.write_text('\n'.join(said) + '\n')
    recording = Recording(tmp_path)
    content = Director(recording, Car(), None).content(recording.times_ns[-1])
    assert content.words['perception'] == 'a bend' and content.words['intent'] == 'wait'
    assert content.words['rationale'] == ''


def test_words_are_wrapped_and_cut_with_an_ellipsis():
    lines = canvas.wrap('one two three four five six seven eight nine ten', 19, 150, 2)
    assert len(lines) == 2 and lines[-1].endswith('…')
    assert all(canvas.text_width(line, 19) <= 150 for line in lines)
    assert canvas.wrap('short', 19, 150, 2) == ['short']


def test_text_outside_the_picture_is_no_error():
    picture = np.zeros((20, 20, 3), np.uint8)
    canvas.text(picture, 'far away', (200, 200), 12)
    assert not picture.any()
    canvas.text(picture, 'here', (-5, -3), 12)
    assert picture.any()


def test_the_film_has_a_frame_for_every_t0(director: Director, tmp_path: Path):
    path, told = tmp_path / 'drive.mp4', []
    count = video.write([director], path, told.append)
    assert count == len(director.recording.times_ns) == told[-1]
    film = cv2.VideoCapture(str(path))
    assert film.get(cv2.CAP_PROP_FPS) == pytest.approx(10)
    frames = 0
    while film.read()[0]:
        frames += 1
    assert frames == count
    size = film.get(cv2.CAP_PROP_FRAME_WIDTH), film.get(cv2.CAP_PROP_FRAME_HEIGHT)
    assert size == (1280, 720)


def test_the_page_stands_alone_and_says_the_verdict_first(director: Director):
    rows = [summary.ScenarioRow.model_validate(RESULT)]
    found = summary.summarise(rows, [director.recording], 0.97)
    page = report.page(found, [RESULT], [director])
    assert '1 of 1 drive went well: 21 m driven, no contact at fault' in page
    assert page.index('went well') < page.index('<table>')
    outside = re.findall(
        r'(?:src|href)="(?!data:|#|drive\.mp4(?:#t=8)?|summary\.json|runs/)([^"]*)"', page
    )
    assert outside == []
    assert 'I brake because a car stands ahead' in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_a_collision_makes_the_verdict_bad(director: Director):
    bad = {**RESULT, 'collisions_at_fault': 1, 'score': 0.0, 'end': 'collision'}
    rows = [summary.ScenarioRow.model_validate(bad)]
    page = report.page(summary.summarise(rows, [director.recording], None), [bad], [director])
    assert '0 of 1 drive went well' in page and 'touched another car' in page
    assert 'class="verdict bad"' in page


@pytest.mark.parametrize(
    ('progress', 'score', 'shown'),
    [(0.45, 0.56, None), (0.9, 1.0, 1.0), (0.45, 0.0, 0.0)],
)
def test_a_drive_that_its_time_ended_on_its_way_is_not_scored(
    progress: float, score: float, shown: float | None
):
    for end in ('time', 'duration'):
        found = {**RESULT, 'progress': progress, 'score': score, 'end': end}
        assert summary.ScenarioRow.model_validate(found).score == shown
    stopped = {**RESULT, 'progress': progress, 'score': score}
    assert summary.ScenarioRow.model_validate(stopped).score == score


def test_the_verdict_counts_what_is_scored(director: Director):
    cut = {**RESULT, 'progress': 0.45, 'score': 0.56, 'end': 'time'}
    rows = [summary.ScenarioRow.model_validate(r) for r in (RESULT, cut)]
    found = summary.summarise(rows, [director.recording] * 2, None)
    page = report.page(found, [RESULT, cut], [director] * 2)
    assert '1 of 1 drive went well, 1 ended by time and not scored: 42 m driven' in page
    assert 'class="verdict good"' in page and '0.56' not in page


def test_words_of_the_model_cannot_become_markup(director: Director):
    rows = [summary.ScenarioRow.model_validate(RESULT)]
    found = summary.summarise(rows, [director.recording], 0.97)
    said = dict.fromkeys(('situation', 'rationale', 'intent'), 'a <b>')
    evil = summary.Example(
        scenario='s', time_s=1.0, perception='<script>alert(1)</script>', **said
    )
    found = found.model_copy(update={'coc': [evil]})
    page = report.page(found, [RESULT], [director])
    assert '<script>' not in page and '&lt;script&gt;' in page


def test_acceleration_is_that_of_the_recorded_speed(director: Director):
    table = director.recording.ego
    assert plots.acceleration(table)[40] == pytest.approx(-2.0, abs=0.05)
    assert plots.acceleration(table)[10] == pytest.approx(0.0, abs=0.05)
    assert VIEW_BOX[2] == 400
