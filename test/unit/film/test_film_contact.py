"""Films with a rig show the plan in the picture ahead, and go on after a contact."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import recorded

from alpamayo_ros import palette
from alpamayo_ros.film import video
from alpamayo_ros.film.camera_boxes import NAMED
from alpamayo_ros.film.dashboard import Dashboard
from alpamayo_ros.film.director import Director
from alpamayo_ros.film.top_view import Car, Scene, TopView
from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import EVENTS, Recording
from alpamayo_ros.reports import plots
from alpamayo_ros.reports.notable_events import motion
from alpamayo_ros.reports.worst import before_contact, worst
from alpamayo_ros.sensing.rig import load_rig

AT = 25  # steps before the contact: the recorded car begins to brake after 30


def touched(folder: Path, at: int = AT) -> Recording:
    """A drive that touches a pedestrian at step ``at`` and is recorded for longer."""
    recorded.write(folder, steps=60)
    stamp_ns = recorded.START_NS + at * recorded.STEP_NS
    line = {'kind': 'contact', 'wall_ns': stamp_ns, 'stamp_ns': stamp_ns, 'what': 'pedestrian'}
    with (folder / EVENTS).open('a') as file:
        file.write(json.dumps(line) + '\n')
    return Recording(folder)


@pytest.fixture(scope='module')
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return touched(tmp_path_factory.mktemp('contact'))


def test_the_film_goes_on_after_a_contact_and_says_so(recording: Recording, tmp_path: Path):
    director, times = Director(recording, Car(), None), recording.times_ns
    before, at, after = (director.content(times[AT + i]) for i in (-1, 0, 20))
    assert before.state == 'ACTIVE' and at.state == after.state == 'CONTACT'
    assert 'contact (pedestrian)' in at.reason and 'nobody plans' in after.reason
    assert at.scene.chosen is not None and after.scene.chosen is None
    assert after.acceleration_mps2 == pytest.approx(-2.0, abs=0.1)  # as recorded
    assert video.write([director], tmp_path / 'a.mp4') == len(times) == 60
    x, y, width = 1280 - 20, 27, 1
    badge = Dashboard().compose(at)[y, x - width]
    assert np.abs(badge.astype(int) - palette.STOP).max() < 8


def test_what_follows_a_contact_is_no_event_of_the_drive(recording: Recording):
    assert recording.contact is not None and recording.end_ns == recording.times_ns[AT]
    assert not motion(recording)  # the braking comes later
    found = before_contact(recording, worst(recording, 2, 'made contact'))
    times = [(e.t0_ns - recorded.START_NS) // recorded.STEP_NS for e in found]
    assert times == [AT - 10, AT] and found[-1].what == 'made contact'


def test_the_plot_of_the_speed_marks_the_contact(recording: Recording, tmp_path: Path):
    without = Recording(recorded.write(tmp_path, steps=60))
    assert without.contact is None and without.end_ns == without.times_ns[-1]
    red = [
        plots.speed_plot(r).count(f'var(--plot-red, {plots.RED})') for r in (recording, without)
    ]
    assert red[0] >= 2 and red[1] == 0  # on speed and on acceleration


def test_the_plan_is_drawn_into_the_camera_that_looks_ahead(tmp_path: Path):
    recording, rig = Recording(recorded.write(tmp_path, steps=3)), load_rig('sim')
    t0_ns = recording.times_ns[-1]
    plain = Director(recording, Car(), None).content(t0_ns).images
    shown = Director(recording, Car(), None, rig).content(t0_ns)
    green = np.abs(shown.images['front'].astype(int) - palette.PLAN).max(axis=2) < 30
    assert green.sum() > 100 and green[: green.shape[0] // 2].sum() == 0  # on the ground
    for name in NAMED.keys() - {'front'}:
        assert (shown.images[name] == plain[name]).all()
    x, y, w, h = NAMED['front']
    box = Dashboard().compose(shown)[y : y + h, x : x + w]
    assert (np.abs(box.astype(int) - [40, 120, 200]).max(axis=2) > 40).sum() > 50


def test_whom_the_car_has_touched_is_drawn_on_it():
    person = events.Box(1, 'pedestrian', 2.0, 0.0, 0.0, 0.0, 0.5, 0.5)
    view = TopView(400, 600)
    drawn = view.draw(Scene((0.0, 0.0, 0.0), boxes=[person]), Car())
    x, y = view.pixels(np.array([[2.0, 0.0]]))[0].round().astype(int)
    around = drawn[y - 12 : y + 13, x - 12 : x + 13]
    assert (around == palette.OTHER).all(axis=2).sum() > 15


def test_a_picture_of_another_shape_than_the_rig_s_stays_as_it_is(tmp_path: Path):
    recording, rig = Recording(recorded.write(tmp_path, steps=3)), load_rig('sim')
    square = [c.model_copy(update={'width': c.height}) for c in rig.cameras]
    other = rig.model_copy(update={'cameras': tuple(square)})
    content = Director(recording, Car(), None, other).content(recording.times_ns[-1])
    assert content.images['front'].shape == (64, 112, 3)
