"""One stored clip for all tests of clips, copied for each."""

from __future__ import annotations

import shutil
from pathlib import Path

import made_up_clips
import pytest


@pytest.fixture(scope='session')
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 8 s whose words are true."""
    return made_up_clips.stored(tmp_path_factory.mktemp('clips'))


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change; nothing else lies beside it."""
    return Path(shutil.copytree(original, tmp_path / 'clips' / original.name))
