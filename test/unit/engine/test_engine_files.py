"""Engines that do not belong to this model, library, GPU or user are refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tensorrt_double import GPU, VERSION, write_double_engines

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.loader import model_dir
from alpamayo_ros.runtime.manifest import ModelFiles, read_model
from alpamayo_ros.runtime.tensorrt.engine_files import (
    ENGINES,
    EngineFiles,
    engine_dir,
    misfit,
    read_engine_manifest,
    read_engines,
)

PROFILE = load_profile('nano')
SAY = 'alpamayo engine build --profile nano.'


@pytest.fixture(scope='module')
def files() -> ModelFiles:
    """The shipped nano."""
    found = read_model(model_dir(PROFILE))
    assert isinstance(found, ModelFiles)
    return found


@pytest.fixture
def folder(tmp_path: Path, files: ModelFiles) -> Path:
    """As a build leaves it."""
    place = tmp_path / 'nano'
    write_double_engines(place, files, PROFILE)
    return place


def _refused(found: object, code: Code) -> str:
    assert isinstance(found, Fault), found
    assert found.code is code, found
    return found.message


def test_what_was_built_is_read(folder: Path, files: ModelFiles) -> None:
    """Four engines that fit."""
    found = read_engines(folder, 'nano')
    assert isinstance(found, EngineFiles)
    assert len(found.data) == 4
    assert misfit(found.manifest, files, 'tensorrt_rtx', VERSION, GPU) is None


def test_nothing_built_yet(tmp_path: Path) -> None:
    """The command to type."""
    message = _refused(read_engine_manifest(tmp_path / 'none', 'nano'), Code.MODEL_MISSING)
    assert message.endswith(SAY)


def test_half_a_build_is_none(folder: Path) -> None:
    """The manifest is written last."""
    (folder / ENGINES).unlink()
    assert _refused(read_engines(folder, 'nano'), Code.MODEL_MISSING).endswith(SAY)


def test_a_flipped_bit(folder: Path) -> None:
    """Found before anything is deserialised."""
    file = folder / 'decode.engine'
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert _refused(read_engines(folder, 'nano'), Code.MODEL_HASH).endswith(SAY)


def test_a_link_in_the_place_of_an_engine(folder: Path, tmp_path: Path) -> None:
    """Not followed."""
    file = folder / 'decode.engine'
    file.rename(tmp_path / 'elsewhere')
    file.symlink_to(tmp_path / 'elsewhere')
    _refused(read_engines(folder, 'nano'), Code.MODEL_UNSAFE)


@pytest.mark.parametrize('mode', [0o770, 0o707])
def test_a_folder_that_others_write_to(folder: Path, mode: int) -> None:
    """Engines run code."""
    folder.chmod(mode)
    message = _refused(read_engines(folder, 'nano'), Code.MODEL_UNSAFE)
    assert message.endswith(f'chmod go-w {folder}.')


@pytest.mark.parametrize('text', ['{', '[]', '{"schema_version": 1, "profile": "nano", "x": 1}'])
def test_a_manifest_that_is_none(folder: Path, text: str) -> None:
    """Broken, of another kind, with unknown keys."""
    (folder / ENGINES).write_text(text)
    _refused(read_engines(folder, 'nano'), Code.MODEL_FORMAT)


def test_no_engine_outside_its_folder(folder: Path) -> None:
    """A path in the place of a name is no manifest."""
    text = (folder / ENGINES).read_text().replace('"decode.engine"', '"../decode.engine"')
    (folder / ENGINES).write_text(text)
    _refused(read_engines(folder, 'nano'), Code.MODEL_FORMAT)


MISFITS: dict[str, tuple[tuple[str, str, str], str, Code]] = {
    'wrong GPU': (('tensorrt_rtx', VERSION, '9.0'), 'this GPU has 9.0', Code.MODEL_PROVIDER),
    'other version': (('tensorrt_rtx', '1.4.0', GPU), 'here is', Code.MODEL_PROVIDER),
    'other library': (('tensorrt', VERSION, GPU), 'here is tensorrt ', Code.MODEL_PROVIDER),
}


@pytest.mark.parametrize('name', MISFITS)
def test_another_machine(folder: Path, files: ModelFiles, name: str) -> None:
    """GPU, version and library are compared before an engine is opened."""
    manifest = read_engine_manifest(folder, 'nano')
    assert not isinstance(manifest, Fault)
    here, words, code = MISFITS[name]
    message = _refused(misfit(manifest, files, *here), code)
    assert words in message and message.endswith(SAY)


def _other_graph(files: ModelFiles) -> ModelFiles:
    entries = tuple(
        e.model_copy(update={'sha256': '0' * 64}) if e.name == 'decode.onnx' else e
        for e in files.manifest.files
    )
    return replace(files, manifest=files.manifest.model_copy(update={'files': entries}))


def _other_profile(files: ModelFiles) -> ModelFiles:
    changed = files.manifest.model_copy(update={'profile_sha256': '0' * 64})
    return replace(files, manifest=changed)


@pytest.mark.parametrize(
    ('change', 'words'), [(_other_graph, 'decode.engine is stale'), (_other_profile, 'another')]
)
def test_another_model(
    folder: Path, files: ModelFiles, change: Callable[[ModelFiles], ModelFiles], words: str
) -> None:
    """Engines of what was there before the last export."""
    manifest = read_engine_manifest(folder, 'nano')
    assert not isinstance(manifest, Fault)
    fault = misfit(manifest, change(files), 'tensorrt_rtx', VERSION, GPU)
    message = _refused(fault, Code.MODEL_FORMAT)
    assert words in message and message.endswith(SAY)


def test_engines_lie_in_the_cache_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside no model: a model folder with something that can run is refused."""
    monkeypatch.setenv('XDG_CACHE_HOME', '/somewhere')
    assert engine_dir('nano') == Path('/somewhere/alpamayo_ros/engines/nano')
    for name in ('..', '../../x', '/etc', '.hidden', 'a b'):
        assert engine_dir(name).parent == Path('/somewhere/alpamayo_ros/engines')
        assert not engine_dir(name).name.startswith('.')
