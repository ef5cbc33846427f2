"""Clips become shards that the recipe's own trainer learns from."""

from collections.abc import Iterator
from pathlib import Path

import made_up_clips
import numpy as np
import pytest
from made_up_clips import KEEP, SPEED_MPS, StraightClip

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

import stream_toy
import torch
from first_grammar import first_profile

from alpamayo_ros.model.tiny import tiny
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.batches import Batches
from alpamayo_ros.training.clips.clip import Pictures
from alpamayo_ros.training.clips.clip_shards import ClipShard
from alpamayo_ros.training.clips.recorded_clip import ClipError
from alpamayo_ros.training.dataset import Dataset
from alpamayo_ros.training.driver import set_scale
from alpamayo_ros.training.driver_losses import DriverTrainer, driver_losses
from alpamayo_ros.training.features import view_features
from alpamayo_ros.training.losses import known_truth_loss, truth_loss
from alpamayo_ros.training.shards.integrity import damage
from alpamayo_ros.training.shards.stats import stats
from alpamayo_ros.training.truth import NAMES
from alpamayo_ros.training.vocabulary import build_vocabulary


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Beside other work threads wait for each other longer than they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope='module')
def parts() -> stream_toy.Parts:
    """At toy size, in the grammar of the made-up words."""
    profile = tiny(first_profile())
    return stream_toy.Parts(profile, build_vocabulary(profile), stream_toy.parts().settings)


def write_shard(clips: list[StraightClip], out: Path, parts: stream_toy.Parts) -> dict[str, int]:
    shard = ClipShard(parts.profile, parts.grammar)
    for one in clips:
        shard.add(one)
    return shard.write(out)


def clip(**changes: object) -> StraightClip:
    """Two cameras, so that five views are lost."""
    given: dict[str, object] = {'rig': made_up_clips.rig(('front', 'rear')), 'words': ''} | changes
    return StraightClip(**given)  # type: ignore[arg-type]


def test_a_shard_holds_what_the_clips_held(tmp_path: Path, parts: stream_toy.Parts) -> None:
    clips = [clip(seconds=2.0, words=words) for words in ('', KEEP, 'intent: fly')]
    counts = write_shard(clips, tmp_path / 'a', parts)
    assert damage(tmp_path / 'a') == ''
    assert (counts['clips'], counts['samples'], counts['worded']) == (3, 63, 21)
    assert counts['foreign_words'] == 21
    rows = Dataset([tmp_path / 'a']).rows
    assert [parts.grammar.text(tuple(c[c > 0])) for c in rows['coc'][[0, 30]]] == ['', KEEP]
    np.testing.assert_allclose(rows['plan'][:, 9, 0], SPEED_MPS, atol=1e-5)
    there = [v.camera in ('front', 'rear') for v in parts.profile.views]
    assert (rows['seen'] == there).all() and np.isnan(rows['truth']).all()
    said = stats([tmp_path / 'a'], 0.1)
    assert (said['truth_unknown'], said['not_finite'], said['worlds']) == (63, 0, 3)


def test_a_clip_that_breaks_off_leaves_nothing_in_the_shard(
    tmp_path: Path, parts: stream_toy.Parts
) -> None:
    def pictures(self: StraightClip) -> Iterator[Pictures]:
        yield from list(StraightClip.pictures(self))[:9]
        raise ClipError('its film ends')

    broken = clip(seconds=2.0, words=KEEP)
    broken.__class__ = type('Broken', (StraightClip,), {'pictures': pictures})
    shard = ClipShard(parts.profile, parts.grammar)
    with pytest.raises(ClipError, match='its film ends'):
        shard.add(broken)
    assert shard.empty
    shard.add(clip(seconds=2.0))
    counts = shard.write(tmp_path / 'a')
    assert (counts['clips'], counts['timesteps'], counts.get('worded')) == (1, 21, None)
    assert set(Dataset([tmp_path / 'a']).rows['seed']) == {0}


def test_training_learns_from_it(tmp_path: Path, parts: stream_toy.Parts) -> None:
    """A few steps of the driver, pictures through the views: plan and words become likelier."""
    torch.manual_seed(0)
    short = clip(seconds=1.0, words=KEEP)
    write_shard([short], tmp_path / 'a', parts)
    data, model = Dataset([tmp_path / 'a']), VLA(parts.profile)
    set_scale(model, data.rows['plan'], data.rows['speed'])
    model.dit.mean.sub_(0.15)  # or the plan would be the zero that an untrained model says
    model.eval()
    features = view_features(model, np.load(tmp_path / 'a' / 'frames.npy'))  # noqa: TID251
    head, batches = DriverTrainer(model), Batches(model, data, features, parts.grammar, 0)
    step = torch.optim.Adam(head.parameters(), 3e-3)
    seen = []
    for _ in range(8):
        losses = driver_losses(model, head, batches.draw(4), True, torch.Generator())
        step.zero_grad()
        (losses['plan'] + losses['text'] + losses['truth']).backward()
        step.step()
        seen.append({k: float(v.detach()) for k, v in losses.items()})
    assert seen[0]['truth'] == 0.0  # nobody knows it
    assert seen[-1]['plan'] < 0.7 * seen[0]['plan'] and seen[-1]['text'] < 0.7 * seen[0]['text']


def test_pictures_of_a_mapped_shard_are_read_in_blocks(parts: stream_toy.Parts) -> None:
    """A shard may be larger than the memory, so that it is never copied whole."""

    class Mapped(np.ndarray):
        def __array_finalize__(self, made: object) -> None:
            most.append(len(self))

    most: list[int] = []
    p, model = parts.profile, VLA(parts.profile).eval()
    frames = np.zeros((7, len(p.views), *p.view_size, 3), np.uint8)
    torch.testing.assert_close(
        view_features(model, frames.view(Mapped), 2), view_features(model, frames, 7)
    )
    assert most[0] == 7 and set(most[1:]) == {1, 2}


def test_a_lost_camera_is_not_shown_to_the_model(tmp_path: Path, parts: stream_toy.Parts) -> None:
    write_shard([clip(seconds=2.0)], tmp_path / 'a', parts)
    data, model = Dataset([tmp_path / 'a']), VLA(parts.profile)
    features = torch.zeros(21, parts.profile.visual_tokens, parts.profile.vision.width)
    valid = Batches(model, data, features, parts.grammar, 0).gather(np.array([20])).valid[0]
    there = [float(v.camera in ('front', 'rear')) for v in parts.profile.views]
    assert valid[0].tolist() == there


def test_a_camera_lost_in_a_past_picture_is_not_shown_either(
    tmp_path: Path, parts: stream_toy.Parts
) -> None:
    def pictures(self: StraightClip) -> Iterator[Pictures]:
        for k, one in enumerate(StraightClip.pictures(self)):
            without = {n: p for n, p in one.by_camera.items() if n != 'rear'}
            yield Pictures(one.stamp_ns, without) if k == 0 else one

    one = clip(seconds=2.0)
    one.__class__ = type('Lost', (StraightClip,), {'pictures': pictures})
    write_shard([one], tmp_path / 'a', parts)
    rear = [view.camera for view in parts.profile.views].index('rear')
    seen = Dataset([tmp_path / 'a']).rows['seen'][:, rear]
    assert (seen[3], seen[20]) == (0.0, 1.0)  # 0.3 s after the lost picture, and 2 s


def test_truth_that_is_known_of_some_counts_for_these_alone() -> None:
    torch.manual_seed(0)
    said, true = torch.randn(4, len(NAMES)), torch.rand(4, len(NAMES))
    partly = true.clone()
    partly[1:3] = torch.nan
    assert known_truth_loss(said, partly) == truth_loss(said[[0, 3]], true[[0, 3]])
    assert known_truth_loss(said, true) == truth_loss(said, true)


def test_clips_without_a_future_make_no_shard(tmp_path: Path, parts: stream_toy.Parts) -> None:
    one = clip(seconds=2.0)
    one.__class__ = type('Cut', (StraightClip,), {'states': property(lambda s: [])})
    with pytest.raises(ClipError, match='no sample in 1 clip: every sample wants 6 s'):
        write_shard([one], tmp_path / 'a', parts)
    assert not (tmp_path / 'a').exists()
