"""The runtime of CUDA graphs, on a CPU and without graphs, against the reference in torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

from safetensors.torch import load, save  # noqa: E402

from alpamayo_ros.faults import Code, Fault  # noqa: E402
from alpamayo_ros.model.fast.check import vary  # noqa: E402
from alpamayo_ros.model.fast.made_up import drawn  # noqa: E402
from alpamayo_ros.model.narrow import widen  # noqa: E402
from alpamayo_ros.model.tiny import tiny  # noqa: E402
from alpamayo_ros.profile import ModelProfile, load_profile  # noqa: E402
from alpamayo_ros.runtime import registry, torch_runtime  # noqa: E402
from alpamayo_ros.runtime.base import Identity, Runtime, words_after  # noqa: E402
from alpamayo_ros.runtime.golden import GOLDEN, check_golden  # noqa: E402
from alpamayo_ros.runtime.loader import model_dir  # noqa: E402
from alpamayo_ros.runtime.made_up import made_up_input  # noqa: E402
from alpamayo_ros.runtime.manifest import ModelFiles, read_model  # noqa: E402
from alpamayo_ros.runtime.registry import TEXT_FILES, WEIGHTS  # noqa: E402
from alpamayo_ros.runtime.staged import StagedRuntime  # noqa: E402
from alpamayo_ros.runtime.torch_cuda.runtime import CudaRuntime  # noqa: E402
from alpamayo_ros.runtime.torch_cuda.runtime import load as load_cuda  # noqa: E402
from alpamayo_ros.runtime.torch_cuda.stages import DeviceStages  # noqa: E402
from alpamayo_ros.runtime.torch_runtime import TorchStages  # noqa: E402
from alpamayo_ros.runtime.word_mode import WordMode  # noqa: E402
from alpamayo_ros.training.vocabulary import build_vocabulary  # noqa: E402
from alpamayo_ros.types import PlannerInput  # noqa: E402
from alpamayo_ros.units import NS  # noqa: E402

NANO = load_profile('nano')
KEYS = tiny(load_profile('alpamayo-1.5-10b'), sample_steps=2)  # its pages hold keys
CYCLES, STEP_NS = 5, NS // 4
NEAR_M = 1e-4


@pytest.fixture(scope='module', autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope='module')
def files() -> ModelFiles:
    found = read_model(model_dir(NANO), (WEIGHTS, *TEXT_FILES, GOLDEN))
    assert isinstance(found, ModelFiles)
    return found


@pytest.fixture(scope='module')
def nano(files: ModelFiles) -> CudaRuntime:
    found = load_cuda(files, NANO, 'cpu')
    assert isinstance(found, CudaRuntime)
    return found


@pytest.fixture(scope='module')
def reference(files: ModelFiles) -> StagedRuntime:
    found = torch_runtime.load(files, NANO)
    assert isinstance(found, StagedRuntime)
    return found


def kept_keys() -> CudaRuntime:
    """A tiny member whose backbone reads every timestep; weights are the same every time."""
    model = drawn(KEYS, 'cpu', torch.float32)
    vary(model)
    grammar = build_vocabulary(KEYS)
    return CudaRuntime(KEYS, Identity('own', KEYS.name), grammar, DeviceStages(model, grammar))


def drive(profile: ModelProfile, cycles: int = CYCLES) -> list[PlannerInput]:
    """A new picture a cycle; the instruction changes once, the newest camera is lost once."""
    frames, given, _ = made_up_input(profile)
    draw, pictures, found = np.random.default_rng(0), list(frames.images), []
    for i in range(cycles):
        new = draw.integers(0, 256, frames.images.shape[1:], dtype=np.uint8)
        pictures = [new, *pictures[:-1]]
        valid = frames.valid.copy()
        valid[0, 2] = i != 3
        ego = replace(given.ego, t0_ns=i * STEP_NS, speed_mps=given.ego.speed_mps + i)
        told = replace(given, ego=ego, navigation='turn left in 40 m' if i > 1 else '')
        seen = replace(frames, t0_ns=i * STEP_NS, images=np.stack(pictures), valid=valid)
        found.append(PlannerInput(i * STEP_NS, seen, told))
    return found


def answer(runtime: Runtime, given: PlannerInput, text: str = '') -> tuple[str, np.ndarray]:
    told = replace(given.given, previous_text=text)
    reasoning = runtime.reason(runtime.encode(given.frames), told)
    noise = np.random.default_rng(given.t0_ns).standard_normal(
        (runtime.profile.candidates, runtime.profile.trajectory.points, 3)
    )
    return reasoning.text, runtime.denoise(reasoning.condition, noise.astype(np.float32))


def same(one: tuple[str, np.ndarray], other: tuple[str, np.ndarray]) -> None:
    assert one[0] == other[0]
    np.testing.assert_allclose(one[1], other[1], atol=NEAR_M)


def test_nano_says_and_plans_what_the_reference_does(
    nano: CudaRuntime, reference: StagedRuntime
) -> None:
    """Cycle after cycle, with the words of the last as draft; one timestep a cycle is new."""
    text, encoded = '', []
    nano.reset()
    for given in drive(NANO):
        found = answer(nano, given, text)
        same(found, answer(reference, given, text))
        encoded.append(nano.encoded)
        text = found[0]
    assert encoded == [4, 1, 1, 1, 2], 'behind the lost camera the picture is another timestep'
    assert isinstance(nano, Runtime) and nano.passes < len(text.split())


def test_it_repeats_the_golden_answer(nano: CudaRuntime, files: ModelFiles) -> None:
    assert check_golden(nano, NANO, files.data[GOLDEN]) is None


def test_keys_that_are_kept_give_what_a_fresh_start_gives() -> None:
    """Also where the text changes, where a cycle was given up and where time jumps back."""
    own, text = kept_keys(), ''
    cycles = drive(KEYS)
    for place in (0, 1, 2, 3, 4, 1):
        if place == 3:
            own.encode(cycles[2].frames)
            own.encode(replace(cycles[4].frames, t0_ns=9 * STEP_NS))
        found = answer(own, cycles[place], text)
        same(found, answer(kept_keys(), cycles[place], text))
        text = found[0]


def test_at_the_first_positions_kept_keys_give_what_the_modules_give() -> None:
    own, grammar = kept_keys(), build_vocabulary(KEYS)
    model = drawn(KEYS, 'cpu', torch.float32)
    vary(model)
    modules = StagedRuntime(KEYS, Identity('m', KEYS.name), grammar, TorchStages(model))
    (given,) = drive(KEYS, 1)
    found = answer(own, given)
    same(found, answer(modules, given))
    same(answer(own, given, found[0]), answer(modules, given, found[0]))


class RunsAsRecorded:
    """What a stage meets on a GPU: run twice before it is recorded, and then replayed."""

    def __init__(self, run: Callable[[], tuple[()]], enabled: bool) -> None:
        self._run, self._first = run, True

    def __call__(self) -> tuple[()]:
        for _ in range(3 if self._first else 1):
            self._run()
        self._first = False
        return ()


@pytest.mark.parametrize('mode', [WordMode(), WordMode(concurrent=True)])
def test_runs_before_a_recording_leave_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, mode: WordMode
) -> None:
    """Without a warm-up before: words stay inside their room, and are those of a plain run."""
    (given,) = drive(KEYS, 1)
    plain = kept_keys()
    text = answer(plain, given)[0]
    other = answer(plain, replace(given, frames=replace(given.frames, t0_ns=9 * STEP_NS)))[0]
    monkeypatch.setattr('alpamayo_ros.model.fast.cycle.Recorded', RunsAsRecorded)
    ego = replace(given.given.ego, t0_ns=2 * NS)
    for previous in (text, other):
        told = replace(given.given, ego=ego, previous_text=previous, previous_t0_ns=2 * NS - 10**8)
        found = []
        for runtime in (plain, kept_keys()):
            runtime.word_mode = mode
            reasoning = runtime.reason(runtime.encode(given.frames), told)
            plans = runtime.denoise(reasoning.condition, made_up_input(KEYS)[2])
            found.append((reasoning.text, reasoning.kept, words_after(runtime), plans))
        assert found[0][:3] == found[1][:3]
        np.testing.assert_allclose(found[0][3], found[1][3], atol=NEAR_M)


def test_a_cycle_that_failed_half_way_is_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pictures are encoded again by the next one."""
    own, cycles = kept_keys(), drive(KEYS, 2)
    answer(own, cycles[0])

    def fails() -> None:
        raise RuntimeError('no memory')

    with monkeypatch.context() as broken, pytest.raises(RuntimeError, match='no memory'):
        broken.setattr(own._stages._cycle, 'encode', fails)
        own.encode(cycles[1].frames)
    later = replace(cycles[1], frames=replace(cycles[1].frames, t0_ns=2 * STEP_NS))
    shifted = np.concatenate([cycles[1].frames.images[:1], cycles[1].frames.images[:-1]])
    later = replace(later, frames=replace(later.frames, images=shifted))
    same(answer(own, later), answer(kept_keys(), later))


def test_positions_begin_anew_before_they_run_out() -> None:
    own, (given, *_) = kept_keys(), drive(KEYS)
    last = 10**6 * STEP_NS
    late = replace(given, frames=replace(given.frames, t0_ns=last))
    assert np.isfinite(answer(own, late)[1]).all()


def test_older_features_and_conditions_are_made_again(nano: CudaRuntime) -> None:
    first, second = drive(NANO, 2)
    noise = made_up_input(NANO)[2]
    features = nano.encode(first.frames)
    reasoning = nano.reason(features, first.given)
    plans = nano.denoise(reasoning.condition, noise)
    other = answer(nano, second)
    same((reasoning.text, plans), (reasoning.text, nano.denoise(reasoning.condition, noise)))
    assert nano.reason(features, first.given).text == reasoning.text
    same(other, answer(nano, second))


def test_given_words_condition_the_plan(nano: CudaRuntime, reference: StagedRuntime) -> None:
    (given,) = drive(NANO, 1)
    noise, ids = made_up_input(NANO)[2], other_words(reference, given)
    found = [
        (said.text, runtime.denoise(said.condition, noise))
        for runtime in (nano, reference)
        for said in [runtime.say(runtime.encode(given.frames), given.given, ids)]
    ]
    same(*found)
    own = answer(nano, given)[1]
    assert np.abs(found[0][1] - own).max() > 10 * NEAR_M, 'other words, another plan'


def other_words(reference: StagedRuntime, given: PlannerInput) -> tuple[int, ...]:
    """A text of the grammar that it does not choose: the last allowed word everywhere."""
    grammar, ids, state = reference.grammar, list[int](), reference.grammar.start
    while not grammar.done(state):
        ids.append(grammar.allowed(state)[-1])
        state = grammar.advance(state, ids[-1])
    assert grammar.text(ids) != answer(reference, given)[0]
    return tuple(ids)


@pytest.mark.parametrize('mode', [WordMode(every_s=0.5), WordMode(concurrent=True)])
def test_older_words_are_used_as_by_the_reference(
    nano: CudaRuntime, reference: StagedRuntime, mode: WordMode
) -> None:
    """Words that it would say itself, and others; what is left is decoded afterwards."""
    (given,) = drive(NANO, 1)
    own = answer(reference, given)[0]
    other = reference.grammar.text(other_words(reference, given))
    ego = replace(given.given.ego, t0_ns=2 * NS)
    for text in (own, other):
        told = replace(given.given, ego=ego, previous_text=text, previous_t0_ns=2 * NS - 10**8)
        found = []
        for runtime in (nano, reference):
            runtime.word_mode = mode
            reasoning = runtime.reason(runtime.encode(given.frames), told)
            plans = runtime.denoise(reasoning.condition, made_up_input(NANO)[2])
            after = words_after(runtime)
            runtime.word_mode = WordMode()
            found.append((reasoning.text, reasoning.kept, after, plans))
        assert found[0][:3] == found[1][:3] and found[0][0] == text
        assert found[0][2] == (own if mode.concurrent and text == other else '')
        np.testing.assert_allclose(found[0][3], found[1][3], atol=NEAR_M)


def test_what_is_no_number_is_forgotten(nano: CudaRuntime) -> None:
    (given,) = drive(NANO, 1)
    wanted = answer(nano, given)
    sick = replace(given.given.ego, speed_mps=given.given.ego.speed_mps * np.nan)
    assert np.isnan(answer(nano, replace(given, given=replace(given.given, ego=sick)))[1]).any()
    same(answer(nano, given), wanted)


def test_noise_of_another_shape_is_refused(nano: CudaRuntime) -> None:
    (given,) = drive(NANO, 1)
    condition = nano.reason(nano.encode(given.frames), given.given).condition
    with pytest.raises(ValueError, match=r'noise of shape \(1, 60, 3\); .* for \(8, 60, 3\)'):
        nano.denoise(condition, np.zeros((1, 60, 3), np.float32))


def test_weights_in_bfloat16_compute_in_it(files: ModelFiles, nano: CudaRuntime) -> None:
    narrow = {k: v.to(torch.bfloat16) for k, v in load(files.data[WEIGHTS]).items()}
    given = drive(NANO, 1)[0]
    found = load_cuda(with_weights(files, save(narrow)), NANO, 'cpu')
    assert isinstance(found, CudaRuntime)
    apart = np.abs(answer(found, given)[1] - answer(nano, given)[1]).mean()
    assert NEAR_M < apart < 0.5


def test_kept_keys_may_be_narrow() -> None:
    """What stays in single precision meets bfloat16 in every stage."""
    model = widen(drawn(KEYS, 'cpu', torch.bfloat16))
    grammar, (given, later, *_) = build_vocabulary(KEYS), drive(KEYS)
    own = CudaRuntime(KEYS, Identity('own', KEYS.name), grammar, DeviceStages(model, grammar))
    assert all(np.isfinite(answer(own, one)[1]).all() for one in (given, later))
    assert model.denoiser.mean.dtype == torch.float32


def with_weights(files: ModelFiles, data: bytes) -> ModelFiles:
    return replace(files, data={**files.data, WEIGHTS: data})


def test_weights_that_do_not_fit_are_named(files: ModelFiles) -> None:
    weights, name = load(files.data[WEIGHTS]), 'backbone.embed.weight'
    del weights[name]
    fault = load_cuda(with_weights(files, save(weights)), NANO, 'cpu')
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_FORMAT and name in fault.message


def test_without_a_gpu_it_says_what_to_do() -> None:
    if torch.cuda.is_available():
        pytest.skip('this machine has a GPU')
    fault = registry.find('torch_cuda')
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_PROVIDER
    assert 'needs an NVIDIA GPU' in fault.message and '--runtime torch' in fault.message


def test_a_folder_without_weights_is_named(tmp_path: Path, files: ModelFiles) -> None:
    texts = {name: files.data[name] for name in TEXT_FILES}
    fault = load_cuda(replace(files, data=texts), NANO, 'cpu')
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_MISSING
