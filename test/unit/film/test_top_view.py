"""Rings and names around people and things in the view from above."""

from __future__ import annotations

import numpy as np

from alpamayo_ros.film.top_view import RING_PX, Car, Scene, TopView
from alpamayo_ros.palette import OTHER
from alpamayo_ros.recording import events


def test_a_person_of_a_few_pixels_has_a_ring():
    view = TopView(400, 636)
    person = events.Box(1, 'pedestrian', 20.0, 3.0, 0.0, 1.0, 0.5, 0.5)
    car = events.Box(2, 'car', 20.0, 3.0, 0.0, 1.0, 4.5, 1.8)
    drawn = {
        box.kind: view.draw(Scene(pose=(0.0, 0.0, 0.0), boxes=[box]), Car())
        for box in (person, car)
    }
    x, y = view.pixels(np.array([[20.0, 3.0]]))[0].round().astype(int)
    beside = {k: p[y - 8 : y + 8, x + RING_PX + 4 : x + 70] for k, p in drawn.items()}
    named = {k: int((np.abs(p.astype(int) - OTHER).sum(2) < 60).sum()) for k, p in beside.items()}
    assert named['pedestrian'] > 20 and named['car'] == 0
    around = drawn['pedestrian'][y - 13 : y + 14, x - 13 : x + 14]
    assert (around == OTHER).all(2).sum() > 15


def test_a_name_that_does_not_fit_beside_its_ring_stands_on_the_other_side():
    view = TopView(400, 636)
    x, y = 380, 300
    left_m = (view.origin[0] - x) / view.scale
    ahead_m = (view.origin[1] - y) / view.scale
    box = events.Box(1, 'debris_box', ahead_m, left_m, 0.0, 1.0, 0.5, 0.5)
    drawn = view.draw(Scene(pose=(0.0, 0.0, 0.0), boxes=[box]), Car()).astype(int)
    lettered = np.abs(drawn[y - 8 : y + 8] - OTHER).sum(2) < 60
    assert lettered[:, x - RING_PX - 60 : x - RING_PX - 4].sum() > 20
    assert lettered[:, x + RING_PX + 4 :].sum() == 0
