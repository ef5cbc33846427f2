"""``alpamayo model quantise`` where the decode graph has its weights beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from typer.testing import CliRunner

from alpamayo_ros.cli.main import app
from alpamayo_ros.cli.models import quantise_stages
from alpamayo_ros.export.int8.graph import observed
from alpamayo_ros.export.int8.ranges import calibrate
from alpamayo_ros.export.int8.writing import write_int8
from alpamayo_ros.export.outside import take_apart
from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.loader import model_dir, open_runtime
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.runtime.manifest import ModelFiles, read_model
from alpamayo_ros.runtime.recorded import Recorded
from alpamayo_ros.runtime.staged import StagedRuntime

PROFILE = load_profile('nano')


def _shipped() -> ModelFiles:
    files = read_model(model_dir(PROFILE))
    assert isinstance(files, ModelFiles)
    return files


@pytest.fixture(scope='module')
def files() -> ModelFiles:
    """The shipped model with its decode graph in two parts."""
    given, graph, beside = _shipped(), 'decode.onnx', 'decode.data'
    model = onnx.ModelProto.FromString(given.data[graph])
    weights = b''.join(take_apart(model, graph).values())
    entry = next(e for e in given.manifest.files if e.name == graph)
    listed = *given.manifest.files, entry.model_copy(update={'name': beside})
    manifest = given.manifest.model_copy(update={'files': listed})
    data = {**given.data, graph: model.SerializeToString(), beside: weights}
    return replace(given, manifest=manifest, data=data)


def test_ranges_beside_a_graph_in_two_parts(files: ModelFiles) -> None:
    """The other stages are calibrated; the graph with its weights beside it stays in float."""
    frames, given, noise = made_up_input(PROFILE)
    found = calibrate(files, PROFILE, [Recorded(frames, given, noise, (), noise)])
    assert not isinstance(found, Fault), found
    assert found['decode.onnx'] == {}
    assert set(found['encoder.onnx']) == set(observed(files.data['encoder.onnx'])[1])


def test_weights_beside_a_graph_in_float_are_written_too(
    files: ModelFiles, tmp_path: Path
) -> None:
    """A folder without them would not open."""
    graphs = {'encoder.onnx': files.data['encoder.onnx']}
    made = write_int8(files, PROFILE, graphs, {'encoder': {'cosine': 1.0}}, tmp_path, golden=False)
    assert not isinstance(made, Fault), made
    kinds = {entry.name: entry.dtype for entry in made.files}
    assert kinds['decode.data'] == kinds['decode.onnx'] == 'float16'
    assert isinstance(open_runtime('onnx', PROFILE, tmp_path), StagedRuntime)
    replaced = tmp_path / 'replaced'
    replaced.mkdir()
    graphs = {'decode.onnx': _shipped().data['decode.onnx']}
    made = write_int8(files, PROFILE, graphs, {}, replaced, golden=False)
    assert not isinstance(made, Fault) and not (replaced / 'decode.data').exists()


def test_a_stage_in_two_parts_is_refused_before_a_drive(
    files: ModelFiles, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With what to type instead; the others are not held up by it."""
    monkeypatch.setattr(quantise_stages, 'read_model', lambda folder: files)
    monkeypatch.setattr(quantise_stages, 'cycles_of', lambda *a: pytest.fail('a drive was begun'))
    result = CliRunner().invoke(app, ['model', 'quantise', 'nano', '--to', str(tmp_path / 'int8')])
    assert result.exit_code == 2, result.output
    assert '--stages backbone: decode.onnx is beyond 2 GiB' in result.output
    assert 'leave it in float: --stages encoder,denoiser' in result.output
    driven = []
    monkeypatch.setattr(quantise_stages, 'cycles_of', lambda source, *a: driven.append(source))
    words = ['--stages', 'encoder', '--calibration', 'town_drive']
    call = ['model', 'quantise', 'nano', '--to', str(tmp_path / 'int8'), *words]
    CliRunner().invoke(app, call)
    assert driven == ['town_drive']
