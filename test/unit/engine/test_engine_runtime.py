"""The TensorRT runtime on a device in plain memory: same answers, fixed buffers, graphs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tensorrt_double import MemoryCuda, library, write_double_engines

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime import registry
from alpamayo_ros.runtime.loader import model_dir, open_runtime
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.runtime.manifest import ModelFiles, read_model
from alpamayo_ros.runtime.staged import StagedRuntime
from alpamayo_ros.runtime.tensorrt import cuda as cuda_module
from alpamayo_ros.runtime.tensorrt import tensorrt_runtime
from alpamayo_ros.runtime.tensorrt.compare import compare
from alpamayo_ros.runtime.tensorrt.engine import EngineError
from alpamayo_ros.runtime.tensorrt.engine_files import engine_dir

PROFILE = load_profile('nano')


@pytest.fixture(scope='module')
def files() -> ModelFiles:
    """The shipped nano."""
    found = read_model(model_dir(PROFILE))
    assert isinstance(found, ModelFiles)
    return found


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MemoryCuda:
    """A device, a library, and a cache folder of this test's own."""
    device = MemoryCuda()
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.setattr(tensorrt_runtime, 'open_cuda', lambda: device)
    monkeypatch.setattr(tensorrt_runtime, 'open_library', lambda kind: library(device))
    return device


@pytest.fixture
def runtime(cuda: MemoryCuda, files: ModelFiles) -> StagedRuntime:
    """Loaded from engines of the shipped model."""
    write_double_engines(engine_dir('nano'), files, PROFILE)
    found = tensorrt_runtime.load('tensorrt_rtx', files, PROFILE)
    assert isinstance(found, StagedRuntime), found
    return found


def test_answers_as_onnx_runtime_does(runtime: StagedRuntime) -> None:
    """Products in float16 move features by thousandths, plans by centimetres, and no word."""
    reference = open_runtime('onnx', PROFILE)
    assert isinstance(reference, StagedRuntime)
    found = compare(runtime, reference, PROFILE, repeats=1)
    assert found.same_words
    far = {stage.name: stage.difference for stage in found.stages}
    assert far['encode'] < 0.05 and far['denoise'] < 0.02, far


def test_second_answer_is_the_first(runtime: StagedRuntime) -> None:
    """Plain runs, captured graphs and kept caches give the same bytes."""
    frames, given, noise = made_up_input(PROFILE)

    def cycle() -> tuple[tuple[int, ...], bytes]:
        reasoning = runtime.reason(runtime.encode(frames), given)
        return reasoning.token_ids, runtime.denoise(reasoning.condition, noise).tobytes()

    first = cycle()
    assert cycle() == first
    runtime.reset()
    assert cycle() == first


def test_buffers_are_allocated_once_and_graphs_replayed(
    runtime: StagedRuntime, cuda: MemoryCuda
) -> None:
    """After two cycles nothing is allocated and nothing but graphs is put on the stream."""
    frames, given, noise = made_up_input(PROFILE)
    for _ in range(2):
        runtime.reset()
        condition = runtime.reason(runtime.encode(frames), given).condition
        runtime.denoise(condition, noise)
    allocated = cuda.allocated
    runtime.reset()
    cuda.done.clear()
    runtime.denoise(runtime.reason(runtime.encode(frames), given).condition, noise)
    assert cuda.allocated == allocated
    assert set(cuda.done) == {'graph', 'wait'}
    assert cuda.done.count('graph') == cuda.done.count('wait')


def test_reset_zeroes_the_cache(runtime: StagedRuntime, cuda: MemoryCuda) -> None:
    """One region for each key and value of each layer."""
    cuda.done.clear()
    runtime.reset()
    assert cuda.done == ['zero'] * (2 * PROFILE.backbone.layers)


def test_more_than_the_engine_takes_is_a_defect(runtime: StagedRuntime) -> None:
    """A shape beyond the profile never reaches the device."""
    _, _, noise = made_up_input(PROFILE)
    stages = runtime.stages
    assert isinstance(stages, tensorrt_runtime.TensorrtStages)
    frames, given, _ = made_up_input(PROFILE)
    condition = runtime.reason(runtime.encode(frames), given).condition
    with pytest.raises(EngineError, match='noise .* more than the engine takes'):
        stages.denoise(condition, np.concatenate([noise, noise]))


def test_engine_that_does_not_load_says_why(
    cuda: MemoryCuda, files: ModelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library's own reason, and what to type."""
    write_double_engines(engine_dir('nano'), files, PROFILE)
    broken = library(cuda, broken='built by an older version')
    monkeypatch.setattr(tensorrt_runtime, 'open_library', lambda kind: broken)
    fault = tensorrt_runtime.load('tensorrt_rtx', files, PROFILE)
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_PROVIDER
    assert 'built by an older version' in fault.message
    assert fault.message.endswith('alpamayo engine build --profile nano.')


def test_without_a_driver_it_says_what_to_do() -> None:
    """No GPU, or no bindings: never a traceback, never another runtime."""
    found = cuda_module.no_gpu()
    if found is None:
        pytest.skip('a GPU answers here')
    assert found.code is Code.MODEL_PROVIDER
    assert 'requirements/tensorrt.txt' in found.message or '--runtime onnx' in found.message


@pytest.mark.parametrize('kind', ['tensorrt', 'tensorrt_rtx'])
def test_both_kinds_are_in_the_registry(kind: str) -> None:
    """Found, or the package or the GPU that is lacking."""
    found = registry.find(kind)
    if isinstance(found, Fault):
        assert found.code is Code.MODEL_PROVIDER
        assert any(words in found.message for words in (kind, 'no GPU answers', 'cuda-bindings'))
    else:
        assert found.name == kind
