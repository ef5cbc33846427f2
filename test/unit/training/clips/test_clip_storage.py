"""A clip on disk: whole or named as damaged, gone on with where it stopped, readable as a bag."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_up_clips import KEEP, NANO, SPEED_MPS, StraightClip

from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.training.clips import storage
from alpamayo_ros.training.clips.cutting import Cut, cut_clip
from alpamayo_ros.training.clips.recorded_clip import ClipError, StoredClip, StoredClips


def test_what_was_written_is_read(folder: Path) -> None:
    assert storage.damage(folder) == ''
    clip, meta = StoredClip(folder), storage.read_meta(folder)
    assert (meta.instants, meta.seconds, meta.revision) == (81, 8.0, 1)
    assert [f.stamp_ns for f in clip.pictures()] == StraightClip().stamps
    first = clip.notes[0]
    assert first.words == KEEP and first.speed_mps == SPEED_MPS
    assert len(first.trajectory) == 64
    np.testing.assert_allclose(first.trajectory[9], (SPEED_MPS, 0.0, 0.0), atol=1e-3)
    reader = BagReader(folder / storage.BAG)
    assert sum(1 for _ in reader) > 800 and reader.fault is None


@pytest.mark.parametrize(
    ('name', 'change', 'words'),
    [
        ('drive.mcap', lambda b: b[:-9], 'bytes, expected'),
        ('drive.mcap', lambda b: b[:900] + bytes([b[900] ^ 1]) + b[901:], 'not what was written'),
        ('drive.rig.yaml', lambda b: b.replace(b'made_up', b'made-up'), 'not what was written'),
        ('annotation.1.json', lambda b: b.replace(b'keep', b'drop', 1), 'not what was written'),
        ('clip.json', lambda b: b[:40], 'cannot be read'),
        ('clip.json', lambda b: b.replace(b'"format": 1', b'"format": 7'), 'expected 1'),
    ],
)
def test_damage_is_named(
    folder: Path, name: str, change: Callable[[bytes], bytes], words: str
) -> None:
    (folder / name).write_bytes(change((folder / name).read_bytes()))
    assert words in storage.damage(folder)
    with pytest.raises(storage.DamagedClipError, match=words):
        list(StoredClips(folder.parent).clips())


def test_a_new_annotation_leaves_the_clip_whole_and_seals_nothing_else(folder: Path) -> None:
    before = storage.read_meta(folder)
    storage.amend(folder, storage.Annotation(verdict='keep', by='review'))
    after = storage.read_meta(folder)
    assert (after.revision, after.files['drive.mcap']) == (2, before.files['drive.mcap'])
    assert not (folder / 'annotation.1.json').exists() and storage.damage(folder) == ''
    (folder / 'drive.mcap').write_bytes(b'')
    storage.amend(folder, storage.Annotation())
    assert 'has 0 bytes' in storage.damage(folder)  # a damaged film stays one


def test_writing_goes_on_where_it_stopped(folder: Path) -> None:
    out, mark = folder.parent, (folder / 'drive.mcap').stat().st_mtime_ns
    clip = StraightClip(seconds=17.0)
    (out / 'straight_001').mkdir()
    (out / 'straight_001' / 'drive.mcap').write_bytes(b'unfinished')
    made = list(cut_clip(clip, out, Cut(8.0, 'a test'), NANO))
    assert (folder / 'drive.mcap').stat().st_mtime_ns == mark
    assert [m.name for m in made if isinstance(m, storage.Meta)] == [
        'straight_000',
        'straight_001',
    ]
    assert storage.damage(out / 'straight_001') == ''
    assert 'straight_002: 0.8 s; a clip has at least 8 s' in made and len(made) == 3


def test_a_hole_in_the_pictures_ends_a_clip(tmp_path: Path) -> None:
    clip = StraightClip(seconds=17.0, lost=(8.0, 9.0))
    made = list(cut_clip(clip, tmp_path, Cut(30.0, 'a test'), NANO))
    assert [m.seconds for m in made if isinstance(m, storage.Meta)] == [8.0, 8.0]


def test_a_folder_without_clips_says_what_makes_some(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match='alpamayo data clips makes some'):
        list(StoredClips(tmp_path).clips())
