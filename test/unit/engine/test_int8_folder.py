"""``alpamayo model quantise``: its folder appears whole, or not at all."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from alpamayo_ros.cli.models import quantise
from alpamayo_ros.export.int8 import writing

FOUND: Any = SimpleNamespace(files=None, profile=None)


def write(to: Path, driven: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a folder of no stages; ``driven``: what happens while both models drive."""

    def written(*given: Any, **_: bool) -> SimpleNamespace:
        (given[4] / 'manifest.json').write_text('new')
        return SimpleNamespace(version='1.0', files=())

    monkeypatch.setattr(writing, 'write_int8', written)
    monkeypatch.setattr(quantise, '_drive', lambda *_: driven())
    quantise._write(FOUND, [], to, 'processor', ('nano', None, 1))


def test_sigterm_while_both_models_drive_leaves_nothing(tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / 'int8', lambda: os.kill(os.getpid(), signal.SIGTERM), monkeypatch)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_another_call_made_meanwhile_stays(tmp_path: Path, monkeypatch) -> None:
    def other() -> None:
        (tmp_path / 'int8').mkdir()
        (tmp_path / 'int8' / 'manifest.json').write_text('other')

    with pytest.raises(typer.Exit):
        write(tmp_path / 'int8', other, monkeypatch)
    assert [path.name for path in tmp_path.iterdir()] == ['int8']
    assert (tmp_path / 'int8' / 'manifest.json').read_text() == 'other'


def test_the_folder_is_there_once_both_models_drove(tmp_path: Path, monkeypatch) -> None:
    write(tmp_path / 'int8', lambda: None, monkeypatch)
    assert (tmp_path / 'int8' / 'manifest.json').read_text() == 'new'
