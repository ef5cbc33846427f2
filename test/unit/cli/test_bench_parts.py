"""``alpamayo bench`` on a model whose decode graph has its weights beside it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

pytest.importorskip('torch', reason='the training extra (torch) is not installed')

from alpamayo_ros.cli.measuring.cycle.naive import Mixed, Slower
from alpamayo_ros.cli.measuring.cycle.parts import Parts, open_parts
from alpamayo_ros.export.outside import write
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.loader import model_dir
from alpamayo_ros.runtime.made_up import made_up_input
from alpamayo_ros.runtime.manifest import ModelFiles, read_model, write_manifest

PROFILE = load_profile('nano')
DECODE, BESIDE = 'decode.onnx', 'decode.data'


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model with its decode graph in two parts."""
    given, made = model_dir(PROFILE), tmp_path_factory.mktemp('model')
    files = read_model(given)
    assert isinstance(files, ModelFiles), files
    dtypes = {entry.name: entry.dtype for entry in files.manifest.files}
    for name in dtypes:
        shutil.copyfile(given / name, made / name)
    model = onnx.ModelProto.FromString(files.data[DECODE])
    assert write(model, made, DECODE, bound=1) == (DECODE, BESIDE)
    write_manifest(made, PROFILE, '1', 1, {}, {**dtypes, BESIDE: dtypes[DECODE]})
    return made


def test_a_decode_graph_in_two_parts_is_measured_like_any_other(folder: Path) -> None:
    """The shipped cache and the one that grows say the same words and the same plans."""
    parts = open_parts(PROFILE, folder)
    assert isinstance(parts, Parts), parts
    fast = parts.fast()
    grown = Slower(fast, Mixed(parts.stages(), cache=parts.growing_cache()))
    frames, given, noise = made_up_input(PROFILE)
    said = [runtime.reason(runtime.encode(frames), given) for runtime in (fast, grown)]
    assert said[0].token_ids == said[1].token_ids and said[0].token_ids
    plans = [fast.denoise(one.condition, noise) for one in said]
    np.testing.assert_allclose(plans[0], plans[1], atol=1e-3)


def test_a_graph_without_its_weights_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not open is a fault, not a traceback."""
    files = read_model(folder)
    assert isinstance(files, ModelFiles)
    data = {name: content for name, content in files.data.items() if name != BESIDE}
    monkeypatch.setattr(
        'alpamayo_ros.cli.measuring.cycle.parts.read_model', lambda *a: replace(files, data=data)
    )
    found = open_parts(PROFILE, folder)
    assert isinstance(found, Fault) and found.code is Code.MODEL_MISSING
    assert BESIDE in found.message
