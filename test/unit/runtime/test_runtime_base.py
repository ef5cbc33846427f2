"""Scripted runtime, loader, text bounds."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.base import Runtime
from alpamayo_ros.runtime.loader import open_runtime
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.runtime.scripted import SPREAD_1PM, Script, ScriptedRuntime
from alpamayo_ros.runtime.text import bounded_text, bounded_tokens
from alpamayo_ros.runtime.timed import TimedRuntime, add_up

PROFILE = load_profile('nano')


def plans(script: Script) -> np.ndarray:
    frames, given, noise = made_up_input(PROFILE)
    runtime = ScriptedRuntime(PROFILE, script)
    reasoning = runtime.reason(runtime.encode(frames), given)
    return runtime.denoise(reasoning.condition, noise)


def test_script_drives_arcs_at_the_present_speed() -> None:
    arcs = plans(Script())
    assert arcs.shape == (8, 60, 3) and np.isfinite(arcs).all()
    steps = np.linalg.norm(np.diff(arcs[..., :2], axis=1), axis=-1)
    assert steps == pytest.approx(0.5, abs=1e-4)  # 5 m/s at 10 Hz
    assert arcs[0, -1, 2] == pytest.approx(-SPREAD_1PM * 30.0, rel=1e-5)
    assert np.abs(arcs[:4, :, 1] + arcs[:3:-1, :, 1]).max() < 1e-5  # mirror images


def test_script_stops_at_its_deceleration() -> None:
    stop = plans(Script(stop=True))
    assert stop[4, -1, 0] == pytest.approx(25.0 / 3.0, abs=0.01)  # v^2 / (2 * 1.5)
    assert (np.diff(stop[4, :, 0]) >= -1e-6).all()


def test_script_is_labelled() -> None:
    runtime = open_runtime('scripted', PROFILE)
    assert isinstance(runtime, Runtime) and runtime.identity.kind == 'scripted'
    assert runtime.identity.manifest_sha256 == ''
    frames, given, _ = made_up_input(PROFILE)
    assert 'script' in runtime.reason(runtime.encode(frames), given).text


def test_unknown_runtime_is_named() -> None:
    fault = open_runtime('tensorflow', PROFILE)
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_PROVIDER
    assert 'tensorflow' in fault.message and 'onnx' in fault.message


def test_absent_provider_is_an_error_not_a_fallback() -> None:
    from alpamayo_ros.runtime.onnx_session import open_session

    fault = open_session('encoder.onnx', b'', ('CUDAExecutionProvider',))
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_PROVIDER
    assert 'CUDAExecutionProvider' in fault.message and 'CPUExecutionProvider' in fault.message


def test_bytes_that_are_no_model_are_a_fault() -> None:
    from alpamayo_ros.runtime.onnx_session import open_session

    fault = open_session('encoder.onnx', b'not a model')
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_FORMAT
    assert 'encoder.onnx' in fault.message


def test_runtime_path_imports_no_torch() -> None:
    code = 'import sys, alpamayo_ros.runtime.process.worker\n'
    code += 'import alpamayo_ros.runtime.process.serve\n'
    code += 'import alpamayo_ros.runtime.onnx_runtime\nassert "torch" not in sys.modules'
    subprocess.run([sys.executable, '-c', code], check=True)


@pytest.mark.parametrize(
    ('text', 'shown', 'cut'),
    [
        ('intent: stop\nnow', 'intent: stop\nnow', False),
        ('\x1b[31m\0', '\\u001b[31m\\u0000', False),
        ('\u202e\ud800', '\\u202e\\ud800', False),
        ('a' * 5000, 'a' * 4096, True),
        ('\u00e4' * 3000, '\u00e4' * 2048, True),
    ],
)
def test_f33_text_is_printable_and_bounded(text: str, shown: str, cut: bool) -> None:
    assert bounded_text(text) == (shown, cut)


def test_f33_tokens_are_bounded() -> None:
    assert bounded_tokens(tuple(range(256))) == (tuple(range(256)), False)
    assert bounded_tokens(tuple(range(1_000_000))) == (tuple(range(256)), True)


def test_stage_times_add_up() -> None:
    frames, given, noise = made_up_input(PROFILE)
    timed = TimedRuntime(ScriptedRuntime(PROFILE, Script(sleep_s=0.02)))
    reasoning = timed.reason(timed.encode(frames), given)
    timed.denoise(reasoning.condition, noise)
    assert timed.stage_ms['encode'] >= 20.0
    stages = add_up(timed.stage_ms, 100.0)
    assert sum(stages.values()) == pytest.approx(100.0)
    timed.encode(frames)
    assert list(timed.stage_ms) == ['encode']  # a new cycle forgets the old one
