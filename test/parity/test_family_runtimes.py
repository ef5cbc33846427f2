"""The family's architectures at test size, exported: ONNX Runtime and torch give the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip('torch')

from alpamayo_ros.export.model_folder import export_model  # noqa: E402
from alpamayo_ros.model.tiny import tiny  # noqa: E402
from alpamayo_ros.model.vla import VLA  # noqa: E402
from alpamayo_ros.profile import load_profile  # noqa: E402
from alpamayo_ros.runtime.base import Features  # noqa: E402
from alpamayo_ros.runtime.loader import open_runtime  # noqa: E402
from alpamayo_ros.runtime.made_up import made_up_input  # noqa: E402
from alpamayo_ros.runtime.manifest import Manifest  # noqa: E402
from alpamayo_ros.runtime.staged import StagedRuntime  # noqa: E402
from alpamayo_ros.training.vocabulary import build_vocabulary, write_vocabulary  # noqa: E402
from alpamayo_ros.types import Conditioning  # noqa: E402

FEATURE_TOLERANCE = 2e-4  # values are of order 1: float32 in another order of sums
PLAN_TOLERANCE_M = 5e-3
Pair = tuple[StagedRuntime, StagedRuntime]


@pytest.fixture(scope='module', autouse=True)
def one_thread() -> Iterator[None]:
    """Several torch threads on a busy machine wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope='module', params=['alpamayo-0.5b', 'alpamayo-1.5-10b'])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A member of each kind with random weights, in both runtimes."""
    torch.manual_seed(5)
    profile = tiny(load_profile(request.param), sample_steps=2)
    model = VLA(profile).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.02 * torch.randn(parameter.shape)
        model.backbone.embed.weight *= 5.0
    folder = tmp_path_factory.mktemp('member')
    write_vocabulary(build_vocabulary(profile), folder)
    manifest = export_model(model, folder, '0', 1, {}, lambda _: None)
    assert isinstance(manifest, Manifest), manifest
    fast, reference = (open_runtime(kind, profile, folder) for kind in ('onnx', 'torch'))
    assert isinstance(fast, StagedRuntime), fast
    assert isinstance(reference, StagedRuntime), reference
    return fast, reference


def driving(runtime: StagedRuntime) -> tuple[Features, Conditioning, np.ndarray]:
    """Features and past motion of a car that brakes in a bend."""
    frames, given, noise = made_up_input(runtime.profile)
    h = len(given.ego.valid)
    past = np.linspace(0, 1, h)
    valid = past < 0.8
    ego = replace(given.ego, speed_mps=5 + 2 * past, acceleration_mps2=past - 2, valid=valid)
    ego = replace(ego, steering_rad=np.where(valid, 0.1, np.nan))
    return runtime.encode(frames), Conditioning(ego, navigation='turn left'), noise


def test_all_stages_agree(pair: Pair) -> None:
    fast, reference = pair
    (ours, given, noise), (theirs, _, _) = driving(fast), driving(reference)
    np.testing.assert_allclose(ours.values, theirs.values, atol=FEATURE_TOLERANCE)
    scene, bias = fast.stages.fuse(theirs, given)
    other, same = reference.stages.fuse(theirs, given)
    np.testing.assert_allclose(scene, other, atol=FEATURE_TOLERANCE)
    np.testing.assert_allclose(bias, same, atol=FEATURE_TOLERANCE)
    first, second = fast.reason(theirs, given), reference.reason(theirs, given)
    assert first.token_ids == second.token_ids and first.text
    np.testing.assert_allclose(first.condition.hidden, second.condition.hidden, atol=1e-3)
    plans = [r.denoise(second.condition, noise) for r in (fast, reference)]
    assert np.isfinite(plans[0]).all()
    np.testing.assert_allclose(plans[0], plans[1], atol=PLAN_TOLERANCE_M)


def test_past_motion_and_last_words_are_read(pair: Pair) -> None:
    fast, _ = pair
    features, given, _ = driving(fast)
    base = fast.reason(features, given)
    still = replace(given.ego, acceleration_mps2=np.zeros_like(given.ego.acceleration_mps2))
    other = fast.stages.fuse(features, replace(given, ego=still))[0]
    assert not np.array_equal(other, fast.stages.fuse(features, given)[0])
    after = fast.reason(features, replace(given, previous_text=base.text))
    rows = len(after.condition.hidden) - len(after.token_ids)
    before = len(base.condition.hidden) - len(base.token_ids)
    assert rows - before == len(base.token_ids), 'the words of the last cycle are in the sequence'
    assert not np.allclose(after.condition.hidden[-1], base.condition.hidden[-1], atol=1e-3)


def test_drafted_words_are_those_of_one_token_at_a_time(pair: Pair) -> None:
    """Chunks of forced and of guessed tokens against a pass and a greedy choice a token."""
    for runtime in pair:
        features, given, _ = driving(runtime)
        for text in ('', runtime.reason(features, given).text):
            said = runtime.reason(features, replace(given, previous_text=text))
            ids, feeder = [], runtime._begin(features, replace(given, previous_text=text))
            state, grammar = runtime.grammar.start, runtime.grammar
            while not grammar.done(state):
                scores = feeder(ids[-1:], max(len(ids) - 1, 0))[-1]
                allowed = list(grammar.allowed(state))
                ids.append(allowed[int(np.argmax(scores[allowed]))])
                state = grammar.advance(state, ids[-1])
            assert tuple(ids) == said.token_ids
            np.testing.assert_allclose(
                feeder.hidden(len(ids) - 1)[1][-1], said.condition.hidden[-2], atol=1e-3
            )


def test_a_denoiser_of_words_gets_no_pictures(pair: Pair) -> None:
    for runtime in pair:
        features, given, _ = driving(runtime)
        said, layout = runtime.reason(features, given), runtime._layout
        scene = layout.scene_tokens
        if not runtime.profile.denoiser.sees_scene:
            scene -= int(layout.visual().sum())
        rows = len(runtime._prefix) + scene + len(said.token_ids)
        assert said.condition.hidden.shape == (rows, runtime.profile.backbone.width)
