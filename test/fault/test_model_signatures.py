"""Fault matrix, row F44: with trusted keys, whatever none of them signed is refused unparsed."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.numpy import save
from typer.testing import CliRunner

from alpamayo_ros.bringup import vehicle
from alpamayo_ros.cli.main import app
from alpamayo_ros.cli.models import verify
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.graph_options import Options
from alpamayo_ros.limits import load_limits
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime import manifest
from alpamayo_ros.runtime.loader import open_runtime
from alpamayo_ros.runtime.manifest import ModelFiles, read_model, write_manifest
from alpamayo_ros.runtime.process import serve
from alpamayo_ros.runtime.process.child import WorkerSpec
from alpamayo_ros.runtime.registry import TEXT_FILES
from alpamayo_ros.security import signing

PROFILE = load_profile('nano')


def made(folder: Path, private: bytes) -> Path:
    folder.mkdir()
    (folder / 'weights.safetensors').write_bytes(save({}))
    for name in TEXT_FILES:
        (folder / name).write_text('{}')
    dtypes = {'weights.safetensors': 'float32'} | dict.fromkeys(TEXT_FILES, '')
    write_manifest(folder, PROFILE, '1.0', 3, {}, dtypes)
    text = (folder / 'manifest.json').read_bytes()
    (folder / 'manifest.sig').write_bytes(signing.sign(private, text))
    return folder


@pytest.fixture
def model(tmp_path: Path) -> tuple[Path, Path]:
    """A signed model and the folder of the key that signed it."""
    private, public = signing.new_pair()
    trusted = tmp_path / 'trusted'
    trusted.mkdir()
    (trusted / 'a.pub').write_bytes(signing.new_pair()[1])
    (trusted / 'b.pub').write_bytes(public)
    return made(tmp_path / 'model', private), trusted


def flipped(name: str, at: int) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[at] ^= 1
        (folder / name).write_bytes(data)

    return change


def linked(folder: Path) -> None:
    (folder / 'manifest.sig').rename(folder.parent / 'elsewhere.sig')
    (folder / 'manifest.sig').symlink_to(folder.parent / 'elsewhere.sig')


def huge(folder: Path) -> None:
    with (folder / 'manifest.sig').open('r+b') as file:
        file.truncate(1 << 40)


def by_another(folder: Path) -> None:
    text = (folder / 'manifest.json').read_bytes()
    (folder / 'manifest.sig').write_bytes(signing.sign(signing.new_pair()[0], text))


def cut(folder: Path) -> None:
    os.truncate(folder / 'manifest.sig', 63)


def piped(folder: Path) -> None:
    (folder / 'manifest.sig').unlink()
    os.mkfifo(folder / 'manifest.sig')


WRONG = {
    'no signature': (lambda folder: (folder / 'manifest.sig').unlink(), 'has no manifest.sig'),
    'a flipped bit in the manifest': (flipped('manifest.json', 40), 'was not made by a key'),
    'a space after the manifest': (
        lambda folder: (folder / 'manifest.json').open('a').write(' '),
        'was not made by a key',
    ),
    'a flipped bit in the signature': (flipped('manifest.sig', 10), 'was not made by a key'),
    'another key': (by_another, 'was not made by a key'),
    'cut off': (cut, '63 bytes, expected 64'),
    'huge': (huge, 'is longer than expected'),
    'a link': (linked, 'is no plain file'),
    'a pipe': (piped, 'is no plain file'),
}


@pytest.mark.parametrize('what', WRONG)
def test_what_no_trusted_key_signed_is_refused_unparsed(what, model, monkeypatch) -> None:
    folder, trusted = model
    change, words = WRONG[what]
    change(folder)

    def parser(*_: object) -> None:
        raise AssertionError('a parser saw bytes that nobody vouches for')

    for name in ('parse_manifest', 'check_bytes', 'stray'):
        monkeypatch.setattr(manifest, name, parser)
    fault = read_model(folder, trusted=trusted)
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_SIGNATURE
    assert words in fault.message


def test_a_trusted_key_opens_the_model(model) -> None:
    folder, trusted = model
    for keys in (trusted, trusted / 'b.pub', None):
        assert isinstance(read_model(folder, trusted=keys), ModelFiles)
    fault = read_model(folder, trusted=trusted / 'a.pub')
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_SIGNATURE


def test_a_signed_manifest_does_not_excuse_a_changed_file(model) -> None:
    folder, trusted = model
    flipped('weights.safetensors', 3)(folder)
    fault = read_model(folder, trusted=trusted)
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_HASH


@pytest.mark.parametrize('text', [b'', b'not a key', b'x' * 5000, 'private'])
def test_a_key_that_cannot_be_read_trusts_nobody(text, model) -> None:
    folder, trusted = model
    (trusted / 'c.pub').write_bytes(signing.new_pair()[0] if text == 'private' else text)
    fault = read_model(folder, trusted=trusted)
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_SIGNATURE
    assert 'c.pub' in fault.message
    assert ('it is a private key' in fault.message) == (text == 'private')


def test_no_key_trusts_nobody(model, tmp_path: Path) -> None:
    for place in (tmp_path / 'absent', tmp_path / 'absent' / 'x.pub', model[0]):
        fault = read_model(model[0], trusted=place)
        assert isinstance(fault, Fault) and fault.code is Code.MODEL_SIGNATURE


def test_a_missing_package_is_one_sentence(model, monkeypatch) -> None:
    monkeypatch.setattr(signing, 'find_spec', lambda _: None)
    fault = read_model(model[0], trusted=model[1])
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_PROVIDER
    assert 'pip install' in fault.message
    assert isinstance(read_model(model[0]), ModelFiles)


def test_writing_a_manifest_takes_the_old_signature_away(model) -> None:
    write_manifest(model[0], PROFILE, '1.1', 4, {}, {'weights.safetensors': 'float32'})
    assert not (model[0] / 'manifest.sig').exists()


def test_a_runtime_without_a_manifest_is_refused(model) -> None:
    fault = open_runtime('scripted', PROFILE, trusted_keys=model[1])
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_SIGNATURE


def test_the_model_process_refuses_too(model) -> None:
    folder, trusted = model
    limits = load_limits()
    spec = WorkerSpec(
        profile=PROFILE, limits=limits, period_s=0.1, startup_s=9.0, kind='onnx', folder=folder,
        trusted_keys=trusted / 'a.pub',
    )  # fmt: skip
    fault = serve._open(spec.hello())
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_SIGNATURE


def test_no_option_takes_back_the_keys_of_a_parameter_file() -> None:
    def keys(options: Options) -> list[object]:
        text = repr(vehicle(options))
        return ['trusted_keys' in text]

    assert keys(Options(trusted_keys='/keys')) == [True]
    assert keys(Options()) == [False]


def ran(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(map(str, words)))
    return result.exit_code, result.stdout + result.stderr


def test_make_keys_sign_and_verify_by_commands(model, tmp_path: Path) -> None:
    folder, _ = model
    keys = tmp_path / 'keys'
    assert ran('key', 'init', '--to', keys)[0] == 0
    private = keys / 'model_signing.pem'
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert ran('key', 'init', '--to', keys)[0] == 2  # nothing is overwritten
    assert ran('model', 'verify', folder, '--trusted-keys', keys)[0] == 5
    assert ran('model', 'sign', folder, '--key', private)[0] == 0
    status, text = ran('model', 'verify', folder, '--trusted-keys', keys)
    assert status == 0 and 'signed the manifest' in text
    private.chmod(0o644)
    assert 'can be read by others' in ran('model', 'sign', folder, '--key', private)[1]


def test_a_public_key_is_not_made_private_before_it_is_refused(model, tmp_path: Path) -> None:
    folder, _ = model
    keys = tmp_path / 'kü mit leer'
    status, text = ran('key', 'init', '--to', keys)
    assert status == 0 and f"--key '{keys / 'model_signing.pem'}'" in text
    status, text = ran('model', 'sign', folder, '--key', keys / 'model_signing.pub')
    assert status == 2 and 'it is no private key' in text and 'chmod' not in text


def test_what_is_signed_is_what_was_verified(model, tmp_path: Path, monkeypatch) -> None:
    """A manifest that takes the place of the verified one is vouched for by nobody."""
    folder, _ = model
    keys = tmp_path / 'keys'
    assert ran('key', 'init', '--to', keys)[0] == 0
    seen = (folder / 'manifest.json').read_bytes()

    def swapped(*words: object, **more: object) -> ModelFiles | Fault:
        files = read_model(*words, **more)
        (folder / 'manifest.json').write_bytes(seen.replace(b'"1.0"', b'"6.6"'))
        return files

    monkeypatch.setattr(verify, 'read_model', swapped)
    assert ran('model', 'sign', folder, '--key', keys / 'model_signing.pem')[0] == 0
    fault = read_model(folder, trusted=keys)
    assert isinstance(fault, Fault) and fault.code is Code.MODEL_SIGNATURE
    (folder / 'manifest.json').write_bytes(seen)
    assert isinstance(read_model(folder, trusted=keys), ModelFiles)


def test_a_private_key_stays_out_of_models_and_repositories(model, tmp_path: Path) -> None:
    (tmp_path / 'work' / '.git').mkdir(parents=True)
    for place in (model[0], model[0] / 'below', tmp_path / 'work' / 'keys'):
        status, text = ran('key', 'init', '--to', place)
        assert status == 2 and 'a private key must not' in text
        assert not (place / 'model_signing.pem').exists()


@pytest.mark.parametrize('left', [(), ('weights.safetensors', 'grammar.json'), TEXT_FILES])
def test_nobody_vouches_for_a_part_of_a_model(
    model, tmp_path: Path, left: tuple[str, ...]
) -> None:
    folder, _ = model
    write_manifest(folder, PROFILE, '1.0', 3, {}, dict.fromkeys(left, ''))
    keys = tmp_path / 'keys'
    assert ran('key', 'init', '--to', keys)[0] == 0
    sign = ('model', 'sign', folder, '--key', keys / 'model_signing.pem')
    for command in (('model', 'verify', folder), sign):
        status, text = ran(*command)
        assert status == 5 and 'manifest.json lists no ' in text and 'it is no model' in text
    assert not (folder / 'manifest.sig').exists()


def test_a_listed_file_that_is_gone_is_damage_and_a_mistyped_key_is_none(model) -> None:
    folder, trusted = model
    status, text = ran('model', 'verify', folder, '--trusted-keys', trusted / 'c.pub')
    assert status == 2 and 'No trusted key' not in text
    (trusted / 'c.pub').write_bytes(signing.new_pair()[0])
    status, text = ran('model', 'verify', folder, '--trusted-keys', trusted)
    assert status == 2 and 'c.pub: it is a private key' in text
    (trusted / 'c.pub').unlink()
    (folder / 'grammar.json').unlink()
    status, text = ran('model', 'verify', folder, '--trusted-keys', trusted)
    assert status == 5 and 'has no grammar.json, which its manifest lists' in text


def test_a_full_disk_leaves_no_half_key(tmp_path: Path, monkeypatch) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, 'No space left on device')

    keys, fdopen = tmp_path / 'keys', os.fdopen

    def full(descriptor: int, mode: str, **more: bool) -> object:
        if mode != 'wb':
            return fdopen(descriptor, mode, **more)
        os.close(descriptor)
        return Full()

    monkeypatch.setattr(os, 'fdopen', full)
    status, text = ran('key', 'init', '--to', keys)
    assert status == 6 and 'model_signing.pem: No space left' in text and 'no key was made' in text
    monkeypatch.undo()
    assert list(keys.iterdir()) == [] and ran('key', 'init', '--to', keys)[0] == 0
