"""When the picture turns against the odometry: what is measured, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from alpamayo_ros.rigs import clock_findings, clocks
from alpamayo_ros.rigs.flow import Tracks, tracks
from alpamayo_ros.rigs.picture_turn import picture_turn
from alpamayo_ros.rigs.pictures import Motion
from alpamayo_ros.sensing.projection import project
from alpamayo_ros.sensing.rig import RigCamera, load_rig, rotation_xyz

SIM = load_rig('sim')
PERIOD_S, DRIVEN_M = 0.1, 0.8


# -- the turn of a picture ----------------------------------------------------------------------
def one_side(camera: RigCamera, turn_rad: float) -> Tracks:
    """Corners on the left of the road only, a tenth of them on somebody who overtakes."""
    rng = np.random.default_rng(0)
    points = rng.uniform([-40, 1, 0], [40, 15, 6], (3000, 3))
    moved = points - [DRIVEN_M, 0.0, 0.0]
    moved[::10] += [1.5, 0.0, 0.0]
    (one, ok1), (two, ok2) = (
        project(camera, points),
        project(camera, moved @ rotation_xyz(0.0, 0.0, turn_rad)),
    )
    inside = ok1 & ok2 & ((one >= 0) & (one < [camera.width, camera.height])).all(axis=1)
    back = np.linalg.inv(camera.matrix).T
    rays = [(np.column_stack([p, np.ones(len(p))]) @ back)[inside, :2] for p in (one, two)]
    return Tracks(*rays, 0.0, PERIOD_S, np.ones(inside.sum(), bool))


@pytest.mark.parametrize('name', ['front', 'rear'])
@pytest.mark.parametrize('turn_rad', [0.0, 0.03, -0.03])
def test_near_things_on_one_side_are_no_turn(name, turn_rad):
    found = picture_turn(SIM.camera(name), one_side(SIM.camera(name), turn_rad), DRIVEN_M)
    assert found == pytest.approx(turn_rad, abs=1e-3)


def test_corners_that_may_slide_do_not_count():
    camera = SIM.camera('front')
    seen = one_side(camera, 0.03)
    lines = np.arange(len(seen.before)) % 4 > 0
    after = np.where(lines[:, None], seen.before, seen.after)  # a painted line looks the same
    found = picture_turn(camera, replace(seen, after=after, pointed=~lines), DRIVEN_M)
    assert found == pytest.approx(0.03, abs=1e-3)
    assert np.isnan(picture_turn(camera, replace(seen, pointed=np.zeros_like(lines)), DRIVEN_M))
    assert np.isnan(picture_turn(camera, seen, 0.0))


def test_a_piece_of_a_painted_line_is_no_pointed_corner():
    camera = SIM.camera('front')
    picture = np.full((camera.height, camera.width), 60, np.uint8)
    cv2.line(picture, (20, 300), (250, 180), 220, 4)
    cv2.rectangle(picture, (380, 60), (440, 120), 200, -1)
    found = tracks(camera, picture, picture, (0.0, PERIOD_S))
    left = found.before[:, 0] < 0
    assert left.sum() > 10 and found.pointed[left].sum() <= 4  # the ends of the line
    assert (~left).sum() == 4 and found.pointed[~left].all()


def test_the_odometry_turns_by_the_integral_of_its_rate():
    stamps = np.arange(0.0, 1.0, 0.02)
    held = np.where(stamps < 0.5, 0.0, 0.2)
    motion = Motion(stamps, np.full(50, 5.0), held, stamps)
    assert motion.turn(0.4, 0.6) == pytest.approx(0.02, abs=0.003)
    assert np.isnan(motion.turn(np.array([0.95]), np.array([1.05]))).all()


# -- the lag ------------------------------------------------------------------------------------
def weaving(t: np.ndarray) -> np.ndarray:
    return 0.2 * np.sin(0.9 * t) + 0.1 * np.sin(2.3 * t)


def one_long_bend(t: np.ndarray) -> np.ndarray:
    return 0.2 * np.exp(-(((t - 20.0) / 6.0) ** 2))


def judged(monkeypatch, rate, lag_s: float, wrong_rps: float = 0.02, gain: float = 1.0):
    """The finding of a front camera stamped ``lag_s`` late, whose errors last for seconds."""
    t = np.arange(0.0, 40.0, 0.02)
    none = np.empty((0, 2))
    at = np.arange(1.0, 39.0, PERIOD_S)
    pairs = [Tracks(none, none, s + lag_s, s + PERIOD_S + lag_s, np.empty(0, bool)) for s in at]

    def seen(camera, pair, driven_m):
        middle = (pair.from_s + pair.to_s) / 2 - lag_s
        error = wrong_rps * np.sin(1.1 * middle + 0.4 * np.sin(0.3 * middle))
        return PERIOD_S * (gain * float(rate(middle)) + error)

    monkeypatch.setattr(clocks, 'picture_turn', seen)
    motion = Motion(t, np.full(len(t), 8.0), rate(t), t)
    (found,) = clock_findings.turning(SIM, {'front': pairs}, motion)
    return found, clocks.lag(SIM.camera('front'), pairs, motion)


@pytest.mark.parametrize('lag_s', [-0.2, 0.2, 0.4])
def test_a_lag_is_found_in_a_drive_that_weaves(monkeypatch, lag_s):
    found, lag = judged(monkeypatch, weaving, lag_s)
    assert found.level == 'wrong' and 'PTP' in found.change
    assert lag.low_s <= lag_s <= lag.high_s


def test_one_long_bend_tells_of_no_clock_and_says_so(monkeypatch):
    for lag_s in (0.0, 0.2):
        found, lag = judged(monkeypatch, one_long_bend, lag_s)
        assert found.level == 'note' and 'this drive tells no closer' in found.text
        assert lag.low_s <= lag_s <= lag.high_s and lag.correlation > 0.95
        assert abs(lag.lag_s - lag_s) <= lag.high_s - lag.low_s


def test_stamps_of_one_clock_are_good(monkeypatch):
    found, _ = judged(monkeypatch, weaving, 0.0)
    assert found.level == 'good' and not found.change


@pytest.mark.parametrize(('wrong_rps', 'gain'), [(0.3, 1.0), (0.02, 0.5)])
def test_a_picture_that_turns_otherwise_is_no_witness(monkeypatch, wrong_rps, gain):
    found, _ = judged(monkeypatch, weaving, 0.4, wrong_rps, gain)
    assert found.level == 'note' and 'turns otherwise' in found.text


def test_a_drive_straight_on_is_a_note(monkeypatch):
    found, lag = judged(monkeypatch, lambda t: 0.0 * t, 0.0)
    assert lag is None and found.level == 'note' and 'too few bends' in found.text
