"""torch and ONNX Runtime: the same numbers in all stages; caches change no bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch')

from alpamayo_ros.export.model_folder import export_model  # noqa: E402
from alpamayo_ros.faults import Code, Fault  # noqa: E402
from alpamayo_ros.model.vla import VLA  # noqa: E402
from alpamayo_ros.pipeline import propose  # noqa: E402
from alpamayo_ros.profile import load_profile  # noqa: E402
from alpamayo_ros.runtime.loader import model_dir, open_runtime  # noqa: E402
from alpamayo_ros.runtime.made_up import made_up_input  # noqa: E402
from alpamayo_ros.runtime.manifest import Manifest, ModelFiles, read_model, write_manifest  # noqa: E402
from alpamayo_ros.runtime.onnx_runtime import OnnxStages  # noqa: E402
from alpamayo_ros.runtime.staged import StagedRuntime  # noqa: E402
from alpamayo_ros.runtime.torch_runtime import TorchStages  # noqa: E402
from alpamayo_ros.training.vocabulary import build_vocabulary, write_vocabulary  # noqa: E402
from alpamayo_ros.types import Conditioning, FrameStack, PlannerInput  # noqa: E402

PROFILE = load_profile('nano')
SHALLOW = PROFILE.model_copy(  # every kind of layer once: exporting takes a second a layer
    update={
        'vision': PROFILE.vision.model_copy(update={'layers': 1}),
        'backbone': PROFILE.backbone.model_copy(update={'layers': 2}),
        'denoiser': PROFILE.denoiser.model_copy(update={'layers': 1}),
    }
)
FEATURE_TOLERANCE = 5e-5  # values are of order 1: float32 in another order of sums
PLAN_TOLERANCE_M = 1e-3  # docs/faults.md, row F41


@pytest.fixture(scope='session', autouse=True)
def one_thread() -> Iterator[None]:
    """Several torch threads on a busy machine wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def random_model() -> VLA:
    """Random weights everywhere, also where training starts from zero: nothing is silent."""
    generator = torch.Generator().manual_seed(7)
    torch.manual_seed(7)
    model = VLA(SHALLOW).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            scale = 0.05 if parameter.dim() == 1 else 0.02
            parameter += scale * torch.randn(parameter.shape, generator=generator)
        model.backbone.embed.weight *= 5.0
        model.dit.mean.normal_(0, 1, generator=generator)
        model.dit.std.uniform_(0.2, 2.0, generator=generator)
        for name, buffer in model.named_buffers():
            if name.endswith('running_var'):
                buffer.uniform_(0.5, 2.0, generator=generator)
            elif name.endswith('running_mean'):
                buffer.normal_(0, 0.1, generator=generator)
    return model


@pytest.fixture(scope='session')
def random_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('model')
    write_vocabulary(build_vocabulary(SHALLOW), folder)
    manifest = export_model(random_model(), folder, '0', 1, {}, lambda _: None)
    assert isinstance(manifest, Manifest), manifest
    return folder


@pytest.fixture(scope='session', params=['random', 'shipped'])
def folder(request: pytest.FixtureRequest) -> Path:
    if request.param == 'random':
        return request.getfixturevalue('random_folder')
    shipped = model_dir(PROFILE)
    if not (shipped / 'manifest.json').is_file():
        pytest.skip('models/nano is not shipped yet')
    return shipped


@pytest.fixture(scope='session')
def pair(folder: Path) -> tuple[StagedRuntime, StagedRuntime]:
    profile = PROFILE if folder == model_dir(PROFILE) else SHALLOW
    fast, reference = (open_runtime(kind, profile, folder) for kind in ('onnx', 'torch'))
    assert isinstance(fast, StagedRuntime), fast
    assert isinstance(reference, StagedRuntime), reference
    assert isinstance(fast.stages, OnnxStages) and isinstance(reference.stages, TorchStages)
    assert fast.identity.manifest_sha256 == reference.identity.manifest_sha256
    return fast, reference


def scenes(count: int) -> Iterator[tuple[FrameStack, Conditioning, np.ndarray]]:
    rng = np.random.default_rng(3)
    frames, given, noise = made_up_input(PROFILE)
    for index in range(count):
        images = rng.integers(0, 256, frames.images.shape, dtype=np.uint8)
        valid = rng.random(frames.valid.shape) > 0.2 * (index % 2)
        age = frames.age_s + rng.uniform(0, 0.05, frames.age_s.shape)
        speed = np.full_like(given.ego.speed_mps, rng.uniform(0, 10))
        yield (
            replace(frames, images=images, valid=valid, age_s=age),
            Conditioning(replace(given.ego, speed_mps=speed)),
            noise,
        )


def test_stages_agree(pair: tuple[StagedRuntime, StagedRuntime]) -> None:
    fast, reference = pair
    for index, (frames, given, noise) in enumerate(scenes(4)):
        a, b = fast.encode(frames), reference.encode(frames)
        assert np.abs(a.values - b.values).max() <= FEATURE_TOLERANCE
        words = ('turn left in 40 m', 'drive carefully') if index % 2 else ('', '')
        given = replace(given, navigation=words[0], prompt=words[1])
        left, right = fast.reason(b, given), reference.reason(b, given)
        assert left.token_ids == right.token_ids and left.text == right.text
        assert left.condition.hidden.shape == right.condition.hidden.shape
        assert np.abs(left.condition.hidden - right.condition.hidden).max() <= FEATURE_TOLERANCE
        x, y = fast.denoise(right.condition, noise), reference.denoise(right.condition, noise)
        assert np.isfinite(x).all() and np.abs(x - y).max() <= PLAN_TOLERANCE_M
        assert np.abs(x).max() > 0.1, 'a silent denoiser would agree with everything'


def test_caches_change_no_bit(pair: tuple[StagedRuntime, StagedRuntime]) -> None:
    fast, _ = pair
    (one, given, noise), (two, other, _) = scenes(2)
    given = replace(given, navigation='follow the road')
    fast.reset()
    fresh = fast.encode(one).values.tobytes()
    reasoning = fast.reason(fast.encode(one), given)
    plan = fast.denoise(reasoning.condition, noise).tobytes()
    mixed = replace(one, images=np.stack([two.images[0], *one.images[:-1]]))
    dirty = replace(other, navigation='turn left', prompt='x' * 200)  # every cache
    fast.reason(fast.encode(mixed), dirty)
    assert fast.encode(one).values.tobytes() == fresh
    again = fast.reason(fast.encode(one), given)
    assert again.condition.hidden.tobytes() == reasoning.condition.hidden.tobytes()
    assert fast.denoise(again.condition, noise).tobytes() == plan


def test_features_are_encoded_once(pair: tuple[StagedRuntime, StagedRuntime]) -> None:
    fast, _ = pair
    ((frames, _, _),) = scenes(1)
    fast.reset()
    fast.encode(frames)
    assert len(fast.features) == len(frames.images)
    lost = frames.valid.copy()
    lost[0, 0] ^= True
    fast.encode(replace(frames, valid=lost))  # other validity, other features
    assert len(fast.features) == len(frames.images) + 1


def test_drafts_change_no_token(pair: tuple[StagedRuntime, StagedRuntime]) -> None:
    fast, _ = pair
    texts = ['']
    for frames, given, _ in scenes(4):
        features = fast.encode(frames)
        plain = fast.reason(features, given)
        assert fast.decoded is not None
        passes = fast.decoded.passes
        for draft in (*texts, plain.text, 'rubbish\n' * 9):
            drafted = fast.reason(features, replace(given, previous_text=draft))
            assert drafted.token_ids == plain.token_ids and fast.decoded.near_ties == 0
            assert fast.decoded.passes <= passes
            gap = np.abs(drafted.condition.hidden - plain.condition.hidden).max()
            assert gap <= FEATURE_TOLERANCE
        fast.reason(features, replace(given, previous_text=plain.text))
        assert fast.decoded.passes == 1 < passes
        texts.append(plain.text)


def test_f37_nan_in_one_cycle_does_not_stay(pair: tuple[StagedRuntime, StagedRuntime]) -> None:
    fast, _ = pair
    ((frames, given, noise),) = scenes(1)
    good = fast.reason(fast.encode(frames), given)
    unknown = np.full_like(given.ego.speed_mps, np.nan)
    sick = replace(given, ego=replace(given.ego, speed_mps=unknown))
    bad = fast.reason(fast.encode(frames), sick)
    assert np.isnan(fast.denoise(bad.condition, noise)).any()
    after = fast.reason(fast.encode(frames), given)
    assert after.condition.hidden.tobytes() == good.condition.hidden.tobytes()


def test_f41_same_bytes_every_time(pair: tuple[StagedRuntime, StagedRuntime]) -> None:
    fast, reference = pair
    ((frames, given, _),) = scenes(1)
    inputs = PlannerInput(5, frames, replace(given, navigation='follow the road'), 11)
    proposals = [propose(inputs, fast) for _ in range(20)]
    assert len({p.candidates.tobytes() for p in proposals}) == 1
    assert len({p.text for p in proposals}) == 1
    slow = [propose(inputs, reference) for _ in range(2)]
    assert slow[0].candidates.tobytes() == slow[1].candidates.tobytes()
    assert np.abs(slow[0].candidates - proposals[0].candidates).max() <= PLAN_TOLERANCE_M


def test_f28_user_text_gives_no_special_token(pair: tuple[StagedRuntime, StagedRuntime]) -> None:
    from alpamayo_ros.model.prompt import prefix_ids
    from alpamayo_ros.model.tokenizer import SPECIAL

    tokenizer = pair[0].grammar.tokenizer
    for name in SPECIAL:
        ids = prefix_ids(tokenizer, f'<|{name}|>', f'a <|{name}|> b', PROFILE.text.max_prefix)
        assert sum(i < len(SPECIAL) for i in ids) == 4 and len(ids) <= PROFILE.text.max_prefix


def test_shipped_size_and_golden(folder: Path) -> None:
    files = read_model(folder)
    assert isinstance(files, ModelFiles)
    assert sum(map(len, files.data.values())) <= 25_000_000
    assert 'golden.json' in files.data
    for name, data in files.data.items():
        for trace in (b'/work/', b'/home/', b'site-packages', b'.venv'):
            assert trace not in data, f'{name} tells where it was made'


def test_other_weights_do_not_repeat_the_golden_answer(
    random_folder: Path, tmp_path: Path
) -> None:
    """Right hashes, wrong numbers: MODEL_GOLDEN, not a driver."""
    files = read_model(random_folder)
    assert isinstance(files, ModelFiles)
    for name, data in files.data.items():
        (tmp_path / name).write_bytes(data)
    golden = (tmp_path / 'golden.json').read_text()
    (tmp_path / 'golden.json').write_text(
        golden.replace('"last_points": [', '"last_points":[').replace('1', '2')
    )
    write_manifest(tmp_path, SHALLOW, '0', 1, {}, dict.fromkeys(files.data, ''))
    fault = open_runtime('onnx', SHALLOW, tmp_path)
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_GOLDEN, fault
