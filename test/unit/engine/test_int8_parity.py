"""Gates of a stage in INT8: what is near passes, a wrong scale is refused and leaves no folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from alpamayo_ros.cli.main import app
from alpamayo_ros.cli.models import quantise_drives, quantise_stages
from alpamayo_ros.cli.models.quantise_stages import Judged, Opened
from alpamayo_ros.cli.operating.log_lines import parsed
from alpamayo_ros.export.int8 import attempt as attempts
from alpamayo_ros.export.int8 import parity
from alpamayo_ros.export.int8.attempt import Attempt, Float, attempt
from alpamayo_ros.export.int8.parity import END_M, Parity, known
from alpamayo_ros.export.int8.ranges import Ranges, calibrate
from alpamayo_ros.faults import Fault, Severity
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime import onnx_runtime
from alpamayo_ros.runtime.golden import GOLDEN
from alpamayo_ros.runtime.loader import model_dir, open_runtime
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.runtime.manifest import ModelFiles, read_model
from alpamayo_ros.runtime.recorded import KeepingRuntime, Recorded
from alpamayo_ros.runtime.registry import WEIGHTS
from alpamayo_ros.runtime.staged import StagedRuntime

PROFILE = load_profile('nano')
WORDS = 0.8  # share that is the same; of a single made-up cycle one word may turn all that follow
CYCLES = 12  # beside which it is held


@pytest.fixture(scope='module')
def opened() -> Opened:
    """The shipped nano with ranges, on made-up cycles whose stripes move."""
    files = read_model(model_dir(PROFILE))
    assert isinstance(files, ModelFiles)
    runtime = onnx_runtime.load(files, PROFILE)
    assert isinstance(runtime, StagedRuntime)
    frames, given, noise = made_up_input(PROFILE)
    cycles = [
        Recorded(replace(frames, images=np.roll(frames.images, 5 * i, 3)), given, noise, (), noise)
        for i in range(1 + CYCLES)
    ]
    ranges = calibrate(files, PROFILE, cycles[:1])
    assert not isinstance(ranges, Fault)
    model = Float(files, PROFILE, runtime, known(runtime, cycles[:1]), known(runtime, cycles[1:]))
    return Opened(model, ranges)


def _wrong(ranges: Ranges) -> Ranges:
    """Scales a fiftieth of what they should be: nearly every code is cut off."""
    return {g: {name: r * 0.02 for name, r in found.items()} for g, found in ranges.items()}


def _call(monkeypatch: pytest.MonkeyPatch, opened: Opened, to: Path, *words: str) -> Result:
    """The command on ``opened``, with the largest of the ranges only.

    Nobody was trained on made-up pictures: plans on them are farther apart than on a road, and
    which words change on so few depends on the processor's rounding.
    """
    monkeypatch.setattr(parity, 'MEAN_M', 1.0)
    monkeypatch.setattr(parity, 'END_M', 3.0)
    monkeypatch.setattr(parity, 'WORDS', WORDS)
    monkeypatch.setattr(quantise_stages, 'open_float', lambda *arguments: opened)
    monkeypatch.setattr(attempts, 'SHARES', (1.0,))
    monkeypatch.setattr(quantise_stages, 'TIMED', 2)
    call = ['model', 'quantise', 'nano', '--to', str(to), '--stages', 'encoder', *words]
    result = CliRunner().invoke(app, call)
    assert 'Traceback' not in result.output, result.output
    return result


def test_calibrated_stages_are_near_and_a_wrong_scale_is_far(
    monkeypatch: pytest.MonkeyPatch, opened: Opened
) -> None:
    """Each bar can be missed, and says figure and bar."""
    monkeypatch.setattr(attempts, 'SHARES', (1.0,))
    good = attempt(opened.model, 'backbone', opened.ranges)
    assert isinstance(good, Attempt)
    assert good.parity.cosine > 0.99 and good.parity.words >= WORDS
    bad = attempt(opened.model, 'backbone', _wrong(opened.ranges))
    assert isinstance(bad, Attempt)
    said = bad.parity.misses()
    assert len(said) == 4 and all(', at ' in text for text in said)
    assert any(text.endswith(f'at most {END_M}') for text in said)


def test_a_wrong_scale_leaves_no_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, opened: Opened
) -> None:
    """The stage, what it misses, and what to try instead."""
    bad, to = replace(opened, ranges=_wrong(opened.ranges)), tmp_path / 'int8'
    result = _call(monkeypatch, bad, to, '--for', 'engine')
    assert result.exit_code == 1
    assert 'encoder: cosine 0.' in result.output and 'at least 0.99' in result.output
    assert 'encoder refused, no folder is written. Leave it in float' in result.output
    assert list(tmp_path.iterdir()) == []


def test_what_passes_is_a_model_like_any_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, opened: Opened
) -> None:
    """Verified, with a golden answer of its own; without float weights, which give another."""
    to = tmp_path / 'int8'
    monkeypatch.setattr(quantise_stages, 'FASTER', 10.0)
    result = _call(monkeypatch, opened, to, '--drives', '0')
    assert result.exit_code == 0, result.output
    assert [place.name for place in tmp_path.iterdir()] == ['int8']
    found = open_runtime('onnx', PROFILE, to)
    assert isinstance(found, StagedRuntime), found
    assert found.identity.version.endswith('+int8')
    manifest = json.loads((to / 'manifest.json').read_text())
    kinds = {entry['name']: entry['dtype'] for entry in manifest['files']}
    assert kinds['encoder.onnx'] == 'int8' and kinds['denoise.onnx'] == 'float16'
    assert WEIGHTS not in kinds
    assert json.loads(manifest['training']['int8'])['encoder']['cosine'] > 0.99
    assert '| encoder |' in (to / 'card.md').read_text()
    assert GOLDEN in kinds
    again = _call(monkeypatch, opened, to, '--for', 'engine')
    assert again.exit_code == 2 and 'exists already' in again.output


def test_for_an_engine_there_is_no_golden_answer(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    opened: Opened,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Another machine's rounding moves plans on made-up pictures; how to compare is said.

    Whoever opens it hears once that nothing was compared, as a warning of a node.
    """
    to, own = tmp_path / 'int8', tmp_path / 'int8.new' / 'notes'
    own.parent.mkdir()
    own.write_text('not of this command')
    result = _call(monkeypatch, opened, to, '--for', 'engine', '--drives', '0')
    assert result.exit_code == 0, result.output
    assert own.read_text() == 'not of this command', 'what lies beside is left alone'
    assert to.stat().st_mode == own.parent.stat().st_mode and len(list(tmp_path.iterdir())) == 2
    assert 'alpamayo engine verify --model' in result.output
    assert not (to / GOLDEN).exists()
    capsys.readouterr()
    for folder in (to, to, model_dir(PROFILE)):
        assert isinstance(open_runtime('onnx', PROFILE, folder), StagedRuntime)
    (line,) = capsys.readouterr().err.splitlines()
    assert parsed(line).severity is Severity.WARN and parsed(line).code is None
    assert f'{to} has no {GOLDEN}' in line and f'alpamayo engine verify --model {to}' in line


def test_lost_score_leaves_no_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, opened: Opened
) -> None:
    """Both models drive the same drives; the mean of the losses counts."""
    driven = {'': [0.9, 0.8]}
    monkeypatch.setattr(
        quantise_drives, 'scores', lambda task, n: driven.get(task.model, [0.9, 0.75])
    )
    result = _call(monkeypatch, opened, tmp_path / 'int8', '--for', 'engine', '--drives', '2')
    assert result.exit_code == 1
    assert 'paired loss 0.025, at most 0.02' in result.output
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_faster_stays_in_float(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, opened: Opened
) -> None:
    """For the processor; the outcome is said, and where nothing is left there is no folder."""
    slow = Judged(
        Attempt('encoder', 1.0, b'', opened.model.runtime, Parity(1.0, 0.0, 0.0, 1.0)), 9.9, 10.0
    )
    monkeypatch.setattr(quantise_stages, 'judge', lambda found, stage: slow)
    result = _call(monkeypatch, opened, tmp_path / 'int8')
    assert result.exit_code == 1
    assert '(0.99)' in result.output and 'float: not below 0.95' in result.output
    assert 'Nothing is faster in INT8' in result.output and '--for engine' in result.output
    assert list(tmp_path.iterdir()) == []


def test_kept_cycles_begin_after_standing_and_lie_apart(opened: Opened) -> None:
    """Neighbours of a drive are nearly the same."""
    frames, given, noise = made_up_input(PROFILE)

    class Counting:
        """Answers with the number of the cycle."""

        identity, profile, calls = opened.model.runtime.identity, PROFILE, 0

        def encode(self, frames):
            return None

        def reason(self, features, given):
            self.calls += 1
            return type('Said', (), {'token_ids': (self.calls,)})

        def denoise(self, condition, noise):
            return noise

    keeping = KeepingRuntime(Counting(), every=3, most=2, skipped=4)  # type: ignore[arg-type]
    for _ in range(12):
        keeping.reason(keeping.encode(frames), given)
        keeping.denoise(type('C', (), {'given': given}), noise)  # type: ignore[arg-type]
    assert [one.words for one in keeping.kept] == [(5,), (8,)]


def test_a_scenario_or_stage_that_is_none_is_named() -> None:
    """Before anything is driven."""
    result = CliRunner().invoke(app, ['model', 'quantise', 'nano', '--to', '/x', '--stages', 'a'])
    assert result.exit_code == 2 and 'encoder, backbone, denoiser' in result.output
