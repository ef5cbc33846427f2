"""Shared memory of killed participants: what is dead goes, everything else stays."""

import fcntl
import os
import time
from pathlib import Path

import pytest

from alpamayo_ros import shared_memory
from alpamayo_ros.shared_memory import YOUNG_S, dead_segments, freed, remove_dead_segments

LATER_S = time.time() + YOUNG_S + 3600.0
DEAD, LIVING = 'fastdds_00000000000000ad', 'fastdds_00000000000000bd'


def put(folder: Path, name: str, size: int = 5) -> Path:
    """A segment and its lock file."""
    (folder / name).write_bytes(b'x' * size)
    (folder / f'{name}_el').touch()
    return folder / name


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_segment_without_an_owner_goes_and_a_locked_one_stays(tmp_path: Path) -> None:
    put(tmp_path, DEAD), put(tmp_path, LIVING)
    with (tmp_path / f'{LIVING}_el').open() as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        (found,) = dead_segments(LATER_S, tmp_path)
        assert (found.path.name, found.size_bytes) == (DEAD, 5)
        assert remove_dead_segments(LATER_S, tmp_path) == [found]
        assert names(tmp_path) == {LIVING, f'{LIVING}_el'}
    assert len(remove_dead_segments(LATER_S, tmp_path)) == 1 and names(tmp_path) == set()


def test_what_is_young_or_no_segment_is_not_touched(tmp_path: Path) -> None:
    put(tmp_path, DEAD)
    other = ['fastdds_port7000', 'fastdds_port7000_el', 'sem.fastdds_port7000_mutex', 'other_el']
    other += ['fastdds_00000000000000ad_el.txt', 'fastdds_00000000000000AD_el', 'fastdds_12_el']
    for name in other:
        (tmp_path / name).touch()
    assert dead_segments(time.time(), tmp_path) == []  # its owner may be about to lock it
    assert remove_dead_segments(LATER_S, tmp_path)
    assert names(tmp_path) == set(other)


def test_links_pipes_and_files_of_others_are_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, shm = tmp_path / 'target', tmp_path / 'shm'
    shm.mkdir()
    target.write_text('mine')
    (shm / f'{DEAD}_el').symlink_to(target)
    os.mkfifo(shm / f'{LIVING}_el')
    put(shm, 'fastdds_00000000000000cd').unlink()
    (shm / 'fastdds_00000000000000cd').symlink_to(target)
    assert remove_dead_segments(LATER_S, shm) == [] and len(names(shm)) == 4
    put(shm, 'fastdds_00000000000000dd')
    monkeypatch.setattr(shared_memory.os, 'geteuid', lambda: os.getuid() + 1)
    assert remove_dead_segments(LATER_S, shm) == [] and target.read_text() == 'mine'


def test_a_lock_without_its_segment_goes_too(tmp_path: Path) -> None:
    put(tmp_path, DEAD).unlink()
    assert [s.size_bytes for s in remove_dead_segments(LATER_S, tmp_path)] == [0]
    assert names(tmp_path) == set()


def test_what_was_freed_is_said_once(tmp_path: Path) -> None:
    put(tmp_path, DEAD, 3_000_000), put(tmp_path, LIVING, 1_000_000)
    assert freed(LATER_S, tmp_path) == 'shared memory of 2 killed nodes was freed (4 MB)'
    assert freed(LATER_S, tmp_path) == '' and names(tmp_path) == set()
