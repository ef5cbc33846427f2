"""Boards of training: before the front camera for a while, and never what a test's board says."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

from alpamayo_ros.simulation.inject_contents import COMMAND
from alpamayo_ros.training.random_worlds.boards import Board, drawn_board
from alpamayo_ros.training.stream import drive_process
from alpamayo_ros.training.stream.settings import Jitter

GREY = {name: np.full((64, 112, 3), 90, np.uint8) for name in ('front', 'rear')}


def test_a_board_stands_before_the_front_camera_while_it_is_there():
    board = Board('go left', 0.2, 0.5, 0.6, begins_s=1.0, ends_s=2.0)
    for time_s in (0.9, 2.0):
        assert np.array_equal(board.before(GREY, time_s)['front'], GREY['front'])
    shown = board.before(GREY, 1.5)
    changed = (shown['front'] != 90).any(2)
    rows, columns = np.nonzero(changed)
    assert (rows.max(), columns.min()) == (round(0.6 * 64) - 1, 56)
    assert columns.max() - columns.min() == round(0.2 * 112) - 1
    assert np.array_equal(shown['rear'], GREY['rear']) and (GREY['front'] == 90).all()


def test_a_share_of_the_drives_has_one_and_no_two_say_the_same():
    rng = np.random.default_rng(3)
    boards = [drawn_board(0.3, rng) for _ in range(500)]
    there = [board for board in boards if board is not None]
    assert 110 < len(there) < 190
    said = [board.text for board in there if board.text]
    assert len(set(said)) == len(said) and len(said) < len(there)
    assert not {word for text in said for word in text.split()} & set(COMMAND.split())
    assert all((board.before(GREY, board.begins_s)['front'] != 90).any() for board in there)
    assert drawn_board(0.0, rng) is None


@pytest.mark.parametrize(('share', 'exam', 'there'), [(1, False, True), (0, False, False),
                                                      (1, True, False)])  # fmt: skip
def test_a_drive_of_a_stream_is_recorded_with_its_board(
    monkeypatch: pytest.MonkeyPatch, share: float, exam: bool, there: bool
) -> None:
    """And an exam without: it is the plain template."""
    given = []
    monkeypatch.setattr(drive_process, 'Recorder', lambda *words: given.append(words[-1]))
    monkeypatch.setattr(drive_process, 'Drive', lambda *words: SimpleNamespace(run=print))
    still = Jitter(mount_m=0, turn_deg=0)
    settings = SimpleNamespace(
        jitter=still, prompted=0, boards=share, workers=1, most_steps=0, held_back=0
    )
    driver = drive_process.Driver.__new__(drive_process.Driver)
    driver.family = SimpleNamespace(goes_on=lambda: False)
    driver.settings, driver.index = settings, 0
    driver.profile = driver.grammar = driver.slots = None
    terms, rng = drive_process.Terms(None, exam), np.random.default_rng(0)
    driver._drive(SimpleNamespace(seed=0), None, terms, rng, Path())
    assert [isinstance(getattr(b, '__self__', None), Board) for b in given] == [there]
