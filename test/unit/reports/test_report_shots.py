"""Pictures of worst moments: the plan lies where the car would drive, the worst is found."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import recorded

from alpamayo_ros.film import camera_frame, canvas
from alpamayo_ros.film.dashboard import Dashboard
from alpamayo_ros.film.director import Director
from alpamayo_ros.film.top_view import Car, Scene
from alpamayo_ros.palette import PLAN, STOP, TRUTH
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import EVENTS, RUN, Recording
from alpamayo_ros.reports.film import film
from alpamayo_ros.reports.shots import car_of, rig_of, shots
from alpamayo_ros.reports.worst import worst
from alpamayo_ros.sensing.projection import on_ground, project
from alpamayo_ros.sensing.rig import Distortion, load_rig

RIG = load_rig('sim')
FRONT = RIG.camera('front')
STRAIGHT = np.stack([np.linspace(0.5, 40, 60), np.zeros(60)], 1)
BLACK = np.zeros((320, 560, 3), np.uint8)


def colour_at(picture: np.ndarray, camera, point: tuple[float, float]) -> list[int]:
    pixel = project(camera, on_ground(np.array([point])))[0][0]
    u, v = (pixel + 0.5) * picture.shape[1] / camera.width - 0.5
    return picture[round(v), round(u)].tolist()


def test_the_plan_covers_the_width_of_the_car_and_no_more():
    picture = camera_frame.draw(BLACK, FRONT, Scene((0.0, 0.0, 0.0), chosen=STRAIGHT), Car())
    assert picture is not None and picture.shape == (549, 960, 3)
    assert colour_at(picture, FRONT, (8.0, 0.0)) == list(PLAN)
    for side in (-0.8, 0.8):
        assert colour_at(picture, FRONT, (8.0, side))[1] > 60
    for side in (-1.1, 1.1):
        assert colour_at(picture, FRONT, (8.0, side)) == [0, 0, 0]


def test_a_plan_to_stop_is_red_and_truth_is_white_over_it():
    bend = np.stack([STRAIGHT[:, 0], 0.01 * STRAIGHT[:, 0] ** 2], 1)
    scene = Scene((0.0, 0.0, 0.0), chosen=STRAIGHT, truth=bend, stop=True)
    picture = camera_frame.draw(BLACK, FRONT, scene, Car())
    assert picture is not None
    assert colour_at(picture, FRONT, (25.0, 0.0)) == list(STOP)
    assert colour_at(picture, FRONT, (25.0, 6.25)) == list(TRUTH)


def test_the_lens_of_the_rig_bends_the_plan():
    lens = Distortion(model='plumb_bob', coefficients=(-0.2, 0.02, 0.0, 0.0))
    camera = FRONT.model_copy(update={'distortion': lens})
    side = np.stack([np.linspace(0.5, 12, 60), np.linspace(0, 8, 60)], 1)
    picture = camera_frame.draw(BLACK, camera, Scene((0.0, 0.0, 0.0), chosen=side), Car())
    assert picture is not None
    assert colour_at(picture, camera, (9.0, 5.92)) == list(PLAN)
    assert colour_at(picture, FRONT, (9.0, 5.92)) != list(PLAN)


def test_a_picture_of_another_shape_is_not_drawn_on():
    square = np.zeros((300, 300, 3), np.uint8)
    assert camera_frame.draw(square, FRONT, Scene((0.0, 0.0, 0.0), chosen=STRAIGHT), Car()) is None


def test_standing_still_draws_nothing_and_is_no_error():
    scene = Scene((0.0, 0.0, 0.0), chosen=np.zeros((60, 2)), candidates=[np.zeros((60, 2))])
    picture = camera_frame.draw(BLACK, FRONT, scene, Car())
    assert picture is not None and not picture.any()


def add(folder: Path, kind: str, **fields: object) -> None:
    with (folder / EVENTS).open('a') as file:
        file.write(json.dumps({'kind': kind, 'wall_ns': 0, **fields}) + '\n')


def at(second: float) -> int:
    return recorded.START_NS + round(second * 1e9)


def test_the_worst_is_found_and_told_in_the_order_of_time(tmp_path: Path):
    recorded.write(tmp_path)
    add(tmp_path, 'score', t0_ns=at(1), metrics={'l2_at_3s': 0.2, 'collision_up_to_6s': 1.0})
    add(tmp_path, 'score', t0_ns=at(2), metrics={'l2_at_3s': 4.25, 'collision_up_to_6s': 0.0})
    add(
        tmp_path,
        'score',
        t0_ns=at(7),
        metrics={'collision_up_to_6s': 1.0, 'collision_up_to_3s': 1.0},
    )
    words = {'perception': 'a', 'situation': 'b', 'rationale': 'c', 'intent': 'stop'}
    said = 'The words say stop; the plan goes on.'
    add(tmp_path, 'words', t0_ns=at(0.5), plan_id=1, agreement=0.0, disagreement=said, **words)
    found = worst(Recording(tmp_path))
    assert [m.t0_ns for m in found] == sorted(m.t0_ns for m in found)
    told = [m.what for m in found]
    assert told[0] == 'words and plan differ: The words say stop; the plan goes on'
    assert told[1] == 'largest error of the plan, 4.2 m after 3 s'
    assert any(t.startswith('hardest braking') for t in told)
    assert any(t.startswith('the plan would touch another road user within 3 s') for t in told)


def test_reasons_of_one_instant_are_told_together(tmp_path: Path):
    recorded.write(tmp_path)
    add(tmp_path, 'score', t0_ns=at(4.5), metrics={'ade': 3.0})
    (moment, *_) = worst(Recording(tmp_path), count=1)
    assert moment.what.startswith('largest error of the plan, 3.0 m on average; hardest braking')


def test_a_bad_end_and_a_fault_are_shown(tmp_path: Path):
    recorded.write(tmp_path)
    health = {
        'stamp_ns': at(3), 't0_ns': at(3), 'state': 4, 'reason': 'stop', 'faults': ['CAM_LOST'],
        'messages': ['CAM_LOST: A camera is silent.'], 'plan_age_ms': None, 'plans': 1,
        'stops': 1, 'refusals': 0, 'deadline_misses': 0, 'worker_restarts': 0, 'runtime': 'onnx',
    }  # fmt: skip
    add(tmp_path, 'health', **health)
    told = [m.what for m in worst(Recording(tmp_path), end='touched another car')]
    assert told[0].startswith('CAM_LOST: A camera is silent')
    assert told[-1] == 'touched another car'


def test_a_quiet_drive_still_has_a_picture_and_an_empty_one_none(tmp_path: Path):
    quiet = Recording(recorded.write(tmp_path / 'quiet', steps=20))
    assert [m.what for m in worst(quiet)] == ['half way']
    folder = recorded.write(tmp_path / 'empty', steps=1)
    (folder / EVENTS).write_text('')
    assert worst(Recording(folder)) == []


def test_a_shot_shows_camera_scene_and_words(tmp_path: Path):
    recording = Recording(recorded.write(tmp_path))
    shot, *_ = shots(recording, rig_of(recording), worst(recording))
    assert shot.camera == 'front' and shot.words['perception'] == 'a car ahead'
    assert shot.picture.startswith('data:image/jpeg;base64,') and len(shot.above) > 1000
    assert re.fullmatch(r'\d\.\d m/s, -2\.0 m/s², ACTIVE\.', shot.about)


def test_without_pictures_only_the_scene_is_shown(tmp_path: Path):
    path = recorded.write(tmp_path) / EVENTS
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(''.join(line for line in lines if '"kind":"image"' not in line))
    recording = Recording(tmp_path)
    shot, *_ = shots(recording, rig_of(recording), worst(recording))
    assert shot.picture == '' and shot.camera == '' and shot.above


def test_the_rig_is_that_of_the_folder_or_of_run_json_or_none(tmp_path: Path):
    folder = recorded.write(tmp_path)
    assert rig_of(Recording(folder)) == RIG
    (folder / 'rig.yaml').write_text(
        (Path(__file__).parents[3] / 'config/rigs/sim.yaml').read_text().replace('1.8', '2.1')
    )
    own = rig_of(Recording(folder))
    assert own is not None and car_of(own.vehicle).width_m == 2.1
    (folder / 'rig.yaml').unlink()
    info = json.loads((folder / RUN).read_text())
    (folder / RUN).write_text(json.dumps({**info, 'rig': '/gone/away.yaml'}))
    recording = Recording(folder)
    assert rig_of(recording) is None
    shot, *_ = shots(recording, None, worst(recording))
    assert shot.camera == 'front' and shot.picture  # the plain picture, without a plan


def test_a_resized_picture_keeps_its_shape():
    assert canvas.resized(BLACK, 280).shape == (160, 280, 3)
    assert cv2.mean(canvas.resized(BLACK + 7, 1120))[0] == pytest.approx(7)
    assert events.KINDS['score'] is events.Score


def test_a_film_of_a_recorded_drive_says_whose_word_the_others_are(tmp_path: Path):
    folder = recorded.write(tmp_path)
    info = json.loads((folder / RUN).read_text())
    (folder / RUN).write_text(json.dumps({**info, 'origin': 'replay', 'runtime': 'none'}))
    recording = Recording(folder)
    moment = Director(recording, Car(), None).content(recording.times_ns[5])
    assert (
        moment.note.startswith('other road users: as recorded') and 'seed' not in moment.subtitle
    )
    assert moment.runtime == 'no model' and 'open loop' in moment.subtitle
    fast = Dashboard(max_speed_mps=36.0).compose(moment)
    assert (fast != Dashboard().compose(moment)).any()


def test_what_was_driven_next_is_shown_only_when_asked_for(tmp_path: Path):
    director = Director(Recording(recorded.write(tmp_path)), Car(), None)
    t0_ns = director.recording.times_ns[5]
    assert len(director.content(t0_ns).scene.truth) == 0
    truth = director.content(t0_ns, ahead_s=1.0).scene.truth
    assert truth[-1] == pytest.approx([5.0, 0.0], abs=0.02)


def test_any_recording_becomes_a_film_with_a_frame_a_timestep(tmp_path: Path):
    folder = recorded.write(tmp_path / 'recording', steps=8)
    lines = (folder / EVENTS).read_text().splitlines(keepends=True)
    told: list[int] = []
    assert film(Recording(folder), tmp_path / 'a.mp4', told.append) == 8 == told[-1]
    (folder / EVENTS).write_text(''.join(x for x in lines if '"kind":"ego"' in x))
    assert film(Recording(folder), tmp_path / 'b.mp4') == 8
    assert (tmp_path / 'b.mp4').stat().st_size > 1000
    (folder / EVENTS).write_text('')
    assert film(Recording(folder), tmp_path / 'c.mp4') == 0
    assert not (tmp_path / 'c.mp4').exists()
