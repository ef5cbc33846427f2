"""What all staged runtimes share, on stages that only write down what they were asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

from alpamayo_ros.model.layout import MASKED
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.base import Condition, Features, Identity, Runtime
from alpamayo_ros.runtime.chunks import Chunk
from alpamayo_ros.runtime.feature_cache import KEPT_TIMESTEPS, FeatureCache
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.runtime.staged import StagedRuntime
from alpamayo_ros.training.vocabulary import build_vocabulary
from alpamayo_ros.types import Conditioning

PROFILE = load_profile('nano')
GRAMMAR = build_vocabulary(PROFILE)
WIDTH, SCENE = PROFILE.backbone.width, PROFILE.visual_tokens + 1


class Noted:
    """``staged.Stages`` that keeps every question; equal logits choose the lowest allowed id."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.denoised: list[Condition] = []
        self.encoded = self.cleared = 0
        self.sick = False

    def encode(self, images: np.ndarray, valid: np.ndarray) -> np.ndarray:
        self.encoded += 1
        return np.zeros((PROFILE.visual_tokens, PROFILE.vision.width), np.float32)

    def fuse(self, features: Features, given: Conditioning) -> tuple[np.ndarray, np.ndarray]:
        bias = np.full((SCENE, SCENE), 0.5, np.float32)
        return np.full((SCENE, WIDTH), given.ego.speed_mps[0], np.float32), bias

    def decode(self, chunk: Chunk) -> tuple[np.ndarray, np.ndarray]:
        self.chunks.append(chunk)
        n = len(chunk.ids)
        hidden = np.full((n, WIDTH), np.nan if self.sick else chunk.start, np.float32)
        return np.zeros((n, PROFILE.text.vocab_size), np.float32), hidden

    def denoise(self, condition: Condition, noise: np.ndarray) -> np.ndarray:
        self.denoised.append(condition)
        return noise

    def clear(self) -> None:
        self.cleared += 1


@pytest.fixture
def stages() -> Noted:
    return Noted()


@pytest.fixture
def runtime(stages: Noted) -> StagedRuntime:
    return StagedRuntime(PROFILE, Identity('noted', 'nano'), GRAMMAR, stages)


def test_it_is_a_runtime(runtime: StagedRuntime) -> None:
    assert isinstance(runtime, Runtime) and runtime.identity.kind == 'noted'


def test_the_prefix_is_read_once_while_it_stays(runtime: StagedRuntime, stages: Noted) -> None:
    frames, given, _ = made_up_input(PROFILE)
    features = runtime.encode(frames)
    runtime.reason(features, given)
    first, scene = stages.chunks[:2]
    assert first.start == 0 and first.is_text.all() and scene.start == len(first.ids)
    assert (~scene.is_text).sum() == SCENE and (scene.extra[:SCENE] == 5.0).all()
    assert (scene.mask[:SCENE, scene.start : scene.start + SCENE] == 0.5).all()
    assert (scene.mask[:SCENE, scene.start + SCENE :] == MASKED).all()
    stages.chunks.clear()
    runtime.reason(features, given)
    assert stages.chunks[0].start == len(first.ids)
    stages.chunks.clear()
    runtime.reason(features, replace(given, navigation='turn left'))
    assert stages.chunks[0].start == 0


def test_one_record_goes_through_words_and_trajectory(
    runtime: StagedRuntime, stages: Noted
) -> None:
    frames, given, noise = made_up_input(PROFILE)
    reasoning = runtime.reason(runtime.encode(frames), given)
    runtime.denoise(reasoning.condition, noise)
    (condition,) = stages.denoised
    assert condition.given is given
    assert len(condition.hidden) == len(stages.chunks[0].ids) + SCENE + len(reasoning.token_ids)


def test_what_is_not_finite_is_forgotten(runtime: StagedRuntime, stages: Noted) -> None:
    frames, given, _ = made_up_input(PROFILE)
    stages.sick = True
    runtime.reason(runtime.encode(frames), given)
    assert stages.cleared == 1 and len(runtime.features) == 0
    stages.sick = False
    stages.chunks.clear()
    runtime.reason(runtime.encode(frames), given)
    assert stages.chunks[0].start == 0 and stages.cleared == 1


def test_a_timestep_is_encoded_once_and_the_newest_are_kept() -> None:
    asked = []
    cache = FeatureCache(lambda images, valid: asked.append(1) or np.zeros((1, 1), np.float32))
    pictures = [np.full((1, 2, 2, 3), k, np.uint8) for k in range(KEPT_TIMESTEPS + 1)]
    valid = np.ones(1, bool)
    for picture in (*pictures, pictures[-1]):
        cache.get(picture, valid)
    assert len(asked) == len(pictures) and len(cache) == KEPT_TIMESTEPS
    cache.get(pictures[0], valid)  # the oldest was let go
    cache.get(pictures[-1], ~valid)  # another validity, other features
    assert len(asked) == len(pictures) + 2
