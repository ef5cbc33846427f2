"""A bundle holds all that the scripts use, and what comes back can be exported."""

import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file
from stream_toy import Parts

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.bundle import bundle, packages
from alpamayo_ros.training.bundle.back import bring
from alpamayo_ros.training.bundle.slim import slim
from alpamayo_ros.training.checkpoint import load_weights
from alpamayo_ros.training.stream.settings import Settings


@pytest.fixture
def made(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle with an empty wheel and no libraries."""
    monkeypatch.setattr(bundle, 'download_wheels', lambda to, python: to.mkdir())
    weights = tmp_path / 'weights.safetensors'
    save_file({'a': torch.zeros(2)}, weights)
    to = tmp_path / 'bundle'
    sizes = bundle.write_bundle(to, parts.settings, weights, '3.12', libraries=False, towns=False)
    assert sizes['code'] > 1e6 and sizes['begin'] > 0
    return to


def test_the_code_of_a_bundle_runs_without_the_repository(made: Path) -> None:
    code = 'import alpamayo_ros.cli.training.stream as s; print(s.__file__)'
    env = {'PYTHONPATH': str(made / 'code'), 'ALPAMAYO_SHARE': str(made / 'code')}
    done = subprocess.run(
        [sys.executable, '-c', code], env=env, cwd='/', capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith(str(made)), done.stderr


def test_its_recipe_leaves_the_towns_out_and_is_else_the_one_that_was_named(
    made: Path, parts: Parts
) -> None:
    said = Settings.from_file(made / 'recipe.yaml')
    assert not said.towns and said == parts.settings.model_copy(update={'towns': False})
    assert set(yaml.safe_load((made / 'recipe.yaml').read_text())) == set(Settings.model_fields)


@pytest.mark.parametrize(('script', 'words'), [('start.sh', []), ('watch.sh', ['5'])])
def test_a_script_says_how_it_is_called(made: Path, script: str, words: list[str]) -> None:
    done = subprocess.run(
        ['sh', str(made / script), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and 'usage' in done.stdout


def test_a_folder_that_holds_something_is_not_overwritten(made: Path, parts: Parts) -> None:
    with pytest.raises(packages.BundleError, match='not empty'):
        bundle.write_bundle(made, parts.settings, made / 'recipe.yaml', '3.12', False, False)


def test_a_bundle_that_is_too_large_is_refused(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, 'download_wheels', lambda to, python: to.mkdir())
    monkeypatch.setattr(bundle, 'LARGEST', 1000)
    weights = tmp_path / 'weights.safetensors'
    save_file({'a': torch.zeros(2)}, weights)
    with pytest.raises(packages.BundleError, match='at most 1000'):
        bundle.write_bundle(tmp_path / 'b', parts.settings, weights, '3.12', False, False)


def test_a_download_that_fails_says_what_was_asked(tmp_path: Path) -> None:
    with pytest.raises(packages.BundleError, match='not installed here'):
        packages.download_wheels(tmp_path / 'w', '3.12', ('no-such-package-of-ours',))


def test_wheels_land_in_a_folder_that_is_named_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pip runs inside the folder: a relative one would be made once more inside itself."""
    asked = []
    monkeypatch.setattr(packages, '_run', lambda command, folder, wrong: asked.append(command))
    monkeypatch.chdir(tmp_path)
    packages.download_wheels(Path('bundle/wheels'), '3.12', ('pydantic',))
    to = asked[0][asked[0].index('--dest') + 1]
    assert to == str(tmp_path.resolve() / 'bundle' / 'wheels')


def test_what_comes_back_is_small_and_fits_the_model(
    model: VLA, parts: Parts, tmp_path: Path
) -> None:
    root, rank = tmp_path / 'run', tmp_path / 'run' / 'rank_0'
    rank.mkdir(parents=True)
    save_file(
        {k: v.contiguous() for k, v in model.state_dict().items()}, root / 'model.safetensors'
    )
    save_file({'single.0.weight': torch.ones(40, 30)}, root / 'dense_heads.safetensors')
    for k in (0, 1):
        (rank / f'drives_{k}.jsonl').write_text(json.dumps({'seed': 10000 + k}) + '\n')
    (rank / 'curve.jsonl').write_text('{}\n')
    (root / 'rank_0.pid').write_text('1')  # no rank, a note of the run's
    (rank / 'policy.log').write_text('line\n' * 500)
    found = bring(root, tmp_path / 'out')
    assert {'rank_0/curve.jsonl', 'model.safetensors', 'dense_heads.safetensors'} <= set(found)
    assert not any('.pid' in name for name in found)
    drives = gzip.decompress((tmp_path / 'out/rank_0/drives.jsonl.gz').read_bytes())
    assert [json.loads(d)['seed'] for d in drives.splitlines()] == [10000, 10001]
    assert (tmp_path / 'out/rank_0/logs.txt').read_text().count('line') == 200
    sizes = [(f / 'model.safetensors').stat().st_size for f in (tmp_path / 'out', root)]
    assert sizes[0] < 0.6 * sizes[1]
    again = VLA(parts.profile)
    load_weights(tmp_path / 'out' / 'model.safetensors', again)
    ours, theirs = again.state_dict(), model.state_dict()
    assert all(torch.allclose(ours[k], theirs[k], atol=2e-3) for k in ours)
    shutil.rmtree(root)
    assert bring(root, tmp_path / 'empty') == []


@pytest.mark.skipif(
    not all(map(shutil.which, ('gcc', 'readelf', 'strip'))), reason='gcc and binutils are missing'
)
def test_a_library_that_no_drive_calls_becomes_an_empty_one(tmp_path: Path) -> None:
    libs, package = tmp_path / 'libsumo.libs', tmp_path / 'libsumo'
    for folder in (libs, package):
        folder.mkdir()

    def built(file: Path, code: str, *more: str) -> None:
        file.with_suffix('.c').write_text(code)
        source, out = str(file.with_suffix('.c')), str(file)
        subprocess.run(['gcc', '-shared', '-fPIC', '-o', out, source, *more], check=True)
        file.with_suffix('.c').unlink()

    big = 'char room[1 << 20] = {1}; int draw(void) { return 7 + room[0]; }'
    built(libs / 'libgdal-1.so', big, '-Wl,-soname,libgdal-1.so')
    built(libs / 'libproj-1.so', 'int place(void) { return 5; }', '-Wl,-soname,libproj-1.so')
    code = 'int draw(void); int place(void); int both(void) { return 10 * draw() + place(); }'
    rpath = '-Wl,-rpath,$ORIGIN/../libsumo.libs'
    wanted = [str(libs / 'libgdal-1.so'), str(libs / 'libproj-1.so'), rpath]
    built(package / '_libsumo.so', code, *wanted)
    slim(tmp_path)
    said = f'import ctypes; print(ctypes.CDLL({str(package / "_libsumo.so")!r}).both())'
    done = subprocess.run([sys.executable, '-c', said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '5' and (libs / 'libgdal-1.so').stat().st_size < 1 << 17
