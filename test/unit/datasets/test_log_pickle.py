"""Pickles are read as data: sound ones give what they hold, hostile ones do nothing at all."""

from __future__ import annotations

import collections
import os
import pickle  # noqa: TID251  (makes the files that are read here as data; reads none)
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.datasets import log_pickle
from alpamayo_ros.datasets.log_pickle import PickleError, parse_pickle, read_pickle

DATA: dict[str, Any] = {
    'id': 'scene',
    'length': 3,
    'big': 2**70,
    'flags': [True, None, -1, 2.5, b'bytes', 'ü'],
    'nested': {'tuple': (1, (2, 3), ()), 'set': {1, 'a'}},
    'f8': np.arange(6.0).reshape(2, 3),
    'f4': np.asfortranarray(np.arange(6, dtype='<f4').reshape(2, 3)),
    'big_endian': np.arange(3, dtype='>i2'),
    'bool': np.array([True, False]),
    'text': np.array(['ab', 'c']),
    'empty': np.zeros((0, 2)),
    'scalar': np.float64(1.25),
    'default': collections.defaultdict(int, {'a': 1}),
}


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return set(a) == set(b) and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, np.ndarray):
        return a.shape == b.shape and a.dtype == b.dtype and bool((a == b).all())
    return bool(a == b)


@pytest.mark.parametrize('protocol', range(6))
def test_a_sound_pickle_gives_its_data(protocol: int) -> None:
    assert _same(DATA, parse_pickle(pickle.dumps(DATA, protocol)))


class _Calls:
    """Pickles itself as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.call


def _hostile(canary: Path) -> dict[str, Any]:
    touch = f'touch {canary}'
    return {
        'os.system': _Calls(os.system, touch),
        'subprocess': _Calls(subprocess.call, ['touch', str(canary)]),
        'eval': _Calls(eval, f'open({str(canary)!r}, "w")'),
        'exec': _Calls(exec, f'open({str(canary)!r}, "w")'),
        'open': _Calls(open, str(canary), 'w'),
        'getattr': _Calls(getattr, touch, 'upper'),
        'import': _Calls(__import__, 'os'),
        'path': Path(canary),
        'object array': np.array([_Calls(os.system, touch)], object),
        'in a list': [1, {'a': (_Calls(os.system, touch),)}],
        'as a key': {'a': 1, ('b', 'c'): 2},
        'int of text': _Calls(int, '7'),
        'named only': os.system,
    }


@pytest.mark.parametrize('protocol', [0, 2, 4, 5])
@pytest.mark.parametrize('name', sorted(_hostile(Path('canary'))))
def test_a_hostile_pickle_is_refused_and_nothing_happens(
    name: str, protocol: int, tmp_path: Path
) -> None:
    canary, path = tmp_path / 'canary', tmp_path / 'evil.pkl'
    path.write_bytes(pickle.dumps(_hostile(canary)[name], protocol))
    with pytest.raises(PickleError, match=r'evil\.pkl, offset \d+: '):
        read_pickle(path)
    assert not canary.exists()


@pytest.mark.parametrize(
    'program',
    [
        b"cos\nsystem\n(S'touch canary'\ntR.",  # GLOBAL, REDUCE
        b"(S'touch canary'\nios\nsystem\n.",  # INST
        b"(cos\nsystem\nS'touch canary'\no.",  # OBJ
        b'\x80\x02cbuiltins\ndict\n)\x81.',  # NEWOBJ
        b'\x80\x02\x82\x01.',  # EXT1
        b'Pid\n.',  # PERSID
        b'\x80\x05\x97.',  # NEXT_BUFFER
        b'cnumpy\nload\n.',
        b'cnumpy.core.multiarray\n_reconstruct\n.',  # a name alone is no data, but harmless
        b'(dp0\n(lp1\nsg0\n',  # no STOP
        b'0.',
        b'e.',
        b'',
    ],
)
def test_a_hand_made_program_is_refused(
    program: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        found = parse_pickle(program)
    except PickleError:
        found = None
    assert found is None or not callable(found)
    assert not (tmp_path / 'canary').exists()


def test_deep_nesting_and_self_reference_do_no_harm() -> None:
    deep = parse_pickle(b'\x80\x04' + b']' * 100_000 + b'a' * 99_999 + b'.')
    assert isinstance(deep, list)
    with pytest.raises(PickleError, match='key'):
        parse_pickle(b'\x80\x04}' + b')' + b'\x85' * 100_000 + b'K\x01s.')
    loop = parse_pickle(b'\x80\x04]\x94h\x00a.')
    assert loop[0] is loop


def test_limits_on_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps(list(range(1000))))
    monkeypatch.setattr(log_pickle, 'MAX_INSTRUCTIONS', 100)
    with pytest.raises(PickleError, match='too many'):
        read_pickle(path)
    monkeypatch.setattr(log_pickle, 'MAX_BYTES', 100)
    with pytest.raises(PickleError, match='at most 100'):
        read_pickle(path)


def test_an_array_that_claims_more_than_its_bytes_is_refused() -> None:
    sound = pickle.dumps(np.arange(4.0), 2)
    with pytest.raises(PickleError):
        parse_pickle(sound.replace(b'K\x04\x85', b'K\xff\x85'))


@given(
    place=st.integers(0, 10_000), value=st.integers(0, 255), protocol=st.sampled_from([0, 2, 4])
)
@settings(max_examples=400)
def test_a_flipped_byte_gives_data_or_a_refusal(place: int, value: int, protocol: int) -> None:
    data = bytearray(pickle.dumps({k: DATA[k] for k in ('id', 'flags', 'f8', 'text')}, protocol))
    data[place % len(data)] = value
    try:
        parse_pickle(bytes(data))
    except PickleError:
        pass


@given(st.binary(max_size=200))
@settings(max_examples=400)
def test_any_bytes_give_data_or_a_refusal(data: bytes) -> None:
    try:
        parse_pickle(data)
    except PickleError:
        pass
