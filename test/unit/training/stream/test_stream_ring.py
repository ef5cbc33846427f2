"""The ring gives every sample its own pictures, and forgets what is overwritten."""

from pathlib import Path

import numpy as np
import pytest
import torch
from stream_toy import FRAMES, Parts, shard

from alpamayo_ros.training.stream.importance import DECISION, NEAR, WAITING, importance
from alpamayo_ros.training.stream.ring import Feed, Ring
from alpamayo_ros.training.stream.slots import Slots


def test_a_sample_comes_with_the_pictures_of_its_own_drive(ring: Ring) -> None:
    batch = ring.draw(64)
    shades = batch['images'].float().mean((2, 3, 4, 5))
    assert set(shades.flatten().tolist()) == {10.0, 200.0}
    assert torch.equal(shades, shades[:, :1].expand(-1, 4))
    assert batch['prefix'].shape == (64, 5) and batch['coc'].shape == (64, 7)


def test_what_is_overwritten_is_drawn_no_more(ring: Ring, parts: Parts) -> None:
    for value in range(20, 60):
        ring.add(*shard(parts, value))
    shades = ring.draw(400)['images'].float().mean((2, 3, 4, 5))
    assert torch.equal(shades, shades[:, :1].expand(-1, 4))
    assert shades.min() > 30 and ring.shards == 42 and ring.samples == 42 * (FRAMES - 3)


def test_a_drive_longer_than_half_the_ring_is_refused(ring: Ring, parts: Parts) -> None:
    with pytest.raises(ValueError, match='does not fit a ring of 256'):
        ring.add(*shard(parts, 1, frames=200))


def test_shards_are_taken_once_whole_and_then_gone(ring: Ring, chunk, tmp_path: Path) -> None:
    chunk(tmp_path / 'a', 30)
    chunk(tmp_path / 'b', 31)
    (tmp_path / 'b' / 'meta.json').unlink()  # still being written
    feed, before = Feed(ring, tmp_path), ring.shards
    assert feed.take() == 1 and feed.take() == 0
    assert ring.shards == before + 1
    assert [p.name for p in tmp_path.iterdir()] == ['b']


def test_the_end_waits_for_the_shard_in_hand_alone(
    ring: Ring, chunk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk(tmp_path / 'a', 30)
    chunk(tmp_path / 'b', 31)
    feed = Feed(ring, tmp_path)
    monkeypatch.setattr(ring, 'add', lambda *parts: feed.end())
    monkeypatch.setattr(feed, 'join', lambda: None)
    assert feed.take() == 1 and [p.name for p in tmp_path.iterdir()] == ['b']


def test_what_ends_the_thread_reaches_the_trainer(ring: Ring, chunk, tmp_path: Path) -> None:
    chunk(tmp_path / 'a', 30)
    (tmp_path / 'a' / 'samples.npz').write_bytes(b'torn')
    feed = Feed(ring, tmp_path)
    feed.start()
    feed.join(20)
    with pytest.raises(ValueError, match='pickled|zip|magic|data'):
        feed.check()


def test_a_question_is_answered_with_its_own_plan(tmp_path: Path, parts: Parts) -> None:
    ours = Slots(tmp_path, 2, parts.profile)
    theirs = Slots(tmp_path, 2, parts.profile)  # another process maps the same files
    view, words = parts.profile.views[0], np.full(parts.profile.text.max_prefix, -1, np.int16)
    pictures = np.zeros((len(parts.profile.views), view.height, view.width, 3), np.uint8)
    number = ours.ask(1, pictures, words, 0.5, 7.0, True)
    assert theirs.open().tolist() == [1] and theirs.state[1].tolist() == [0.5, 7.0, 1.0]
    with pytest.raises(TimeoutError):
        ours.wait(1, number, lambda: True, patience_s=0.01)
    assert ours.wait(1, number, lambda: False) is None  # the run ends: nobody will answer
    theirs.plan[1] = 3.0
    theirs.answered[1] = number
    assert (ours.wait(1, number, lambda: True) == 3.0).all() and not len(theirs.open())


@pytest.mark.parametrize(
    ('speed', 'stride', 'still', 'thing', 'weight'),
    [
        (5.0, 0.5, 0, 0.0, 1.0),
        (5.0, 0.1, 0, 0.0, DECISION),  # about to brake
        (0.0, 0.5, 0, 0.0, DECISION),  # about to start
        (0.0, 0.0, 40, 0.0, WAITING),
        (5.0, 0.5, 0, 12.0, NEAR),
    ],
)
def test_decisions_are_drawn_more_often_than_waiting(
    speed: float, stride: float, still: int, thing: float, weight: float
) -> None:
    plan = np.zeros((60, 3), np.float32)
    plan[:, 0] = np.arange(1, 61) * stride
    dense = np.zeros(49, np.float32)
    dense[[12, 13]] = thing > 0, thing
    row = {'plan': plan, 'dense': dense, 'speed': np.float32(speed)}
    assert importance(row, still, False) == weight
    assert importance(row, still, True) == 1.5 * weight
    dense[[14, 15]] = 1.0, 12.0  # somebody on foot, 12 m ahead
    seen = weight if weight == WAITING else max(weight, NEAR)
    assert importance(row, still, False) == seen
    dense[15] = 30.0
    assert importance(row, still, False) == weight
