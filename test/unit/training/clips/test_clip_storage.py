"""A clip on disk: whole or named as damaged, gone on with where it stopped, readable as a bag."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_up_clips import BEGIN_NS, KEEP, NANO, NS, SPEED_MPS, StraightClip, rig

from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.clips import storage
from alpamayo_ros.training.clips.clip import Pictures
from alpamayo_ros.training.clips.cutting import Cut, cut_clip
from alpamayo_ros.training.clips.pictures import spaced
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
        ('drive.mcap', lambda b: b'', 'has 0 bytes, expected'),
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


@pytest.mark.parametrize('name', ['drive.mcap', 'drive.rig.yaml', 'annotation.1.json'])
def test_a_missing_file_is_called_missing(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert storage.damage(folder).startswith(f'{folder / name} is missing: ')


def test_a_new_annotation_leaves_the_clip_whole_and_seals_nothing_else(folder: Path) -> None:
    before = storage.read_meta(folder)
    storage.amend(folder, storage.Annotation(verdict='keep', by='review'), before)
    after = storage.read_meta(folder)
    assert (after.revision, after.files['drive.mcap']) == (2, before.files['drive.mcap'])
    assert not (folder / 'annotation.1.json').exists() and storage.damage(folder) == ''
    (folder / 'drive.mcap').write_bytes(b'')
    storage.amend(folder, storage.Annotation(), after)
    assert 'has 0 bytes' in storage.damage(folder)  # a damaged film stays one


def test_what_another_command_wrote_meanwhile_is_not_written_over(folder: Path) -> None:
    read = storage.read_meta(folder)
    storage.amend(folder, storage.Annotation(verdict='drop', by='review'), read)
    with pytest.raises(
        ConfigError, match='another command wrote annotation 2 meanwhile, expected'
    ):
        storage.amend(folder, storage.Annotation(verdict='keep', by='filter'), read)
    found = storage.read_annotation(folder)
    assert (found.verdict, found.by, storage.damage(folder)) == ('drop', 'review', '')


def test_a_clip_that_is_amended_while_it_is_read_is_no_damage(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def amending(file: Path) -> str:
        """As it hashes a file of the first reading, another command amends the clip."""
        monkeypatch.setattr(storage, 'sha256', hashed)
        storage.amend(folder, storage.Annotation(verdict='drop', by='review'), read)
        return hashed(file) if file.is_file() else ''

    hashed = storage.sha256
    for asked in (storage.damage, lambda where: storage.read_annotation(where).verdict[4:]):
        read = storage.read_meta(folder)
        monkeypatch.setattr(storage, 'sha256', amending)
        assert asked(folder) == '' and storage.read_meta(folder).revision == read.revision + 1


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


def test_a_part_that_a_camera_does_not_fill_is_a_clip(tmp_path: Path) -> None:
    made = list(cut_clip(StraightClip(seconds=7.9), tmp_path, Cut(8.0, 'a test'), NANO))
    assert [m.seconds for m in made if isinstance(m, storage.Meta)] == [7.9]


def test_a_stored_clip_that_is_cut_again_hands_on_what_it_says(folder: Path) -> None:
    (made,) = list(cut_clip(StoredClip(folder), folder.parent / 'b', Cut(8.0, 'again'), NANO))
    assert isinstance(made, storage.Meta) and made.grammar == 'phrases_v1'


def test_a_clip_without_its_recording_is_damaged(folder: Path) -> None:
    meta = storage.read_meta(folder)
    files = {name: entry for name, entry in meta.files.items() if name != storage.BAG}
    (folder / 'clip.json').write_text(meta.model_copy(update={'files': files}).model_dump_json())
    assert 'names no drive.mcap' in storage.damage(folder)


@pytest.mark.parametrize('name', ['', '.', '..', '../victim', '/victim', 'a/b', 'a/'])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    victim = tmp_path / 'victim_000'
    victim.mkdir()
    (victim / 'drive.mcap').write_bytes(b'of somebody')
    with pytest.raises(ConfigError, match='cannot name a clip'):
        list(cut_clip(StraightClip(name=name), tmp_path / 'out', Cut(8.0, 'a test'), NANO))
    assert (victim / 'drive.mcap').read_bytes() == b'of somebody'
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('name', ['photo.jpg', 'clip.json.bak', 'drive.mcap/photo.jpg'])
def test_a_folder_that_is_no_unfinished_clip_is_left_alone(tmp_path: Path, name: str) -> None:
    file = tmp_path / 'straight_000' / name
    file.parent.mkdir(parents=True)
    file.write_bytes(b'mine')
    with pytest.raises(ConfigError, match='so it is no unfinished clip; choose another --out'):
        list(cut_clip(StraightClip(), tmp_path, Cut(8.0, 'a test'), NANO))
    assert file.read_bytes() == b'mine'


def test_what_an_unfinished_clip_left_is_cleared_away(tmp_path: Path) -> None:
    left = ['drive.mcap', 'drive.rig.yaml', 'annotation.12.json.part', 'clip.json.part']
    (tmp_path / 'a').mkdir()
    for name in left:
        (tmp_path / 'a' / name).write_bytes(b'x')
    storage.begin(tmp_path / 'a')
    assert list((tmp_path / 'a').iterdir()) == []


def test_a_finished_clip_of_another_source_is_not_taken_for_this_one(folder: Path) -> None:
    for cut in (Cut(8.0, 'another recording'), Cut(8.0, 'a test in other parts')):
        with pytest.raises(ConfigError, match=r'is of another call \(a test\), expected a'):
            list(cut_clip(StraightClip(), folder.parent, cut, NANO))
    assert storage.damage(folder) == ''


class Fast(StraightClip):
    """Pictures at 15 Hz, thinned to 10 Hz as those of a recording."""

    @property
    def stamps(self) -> list[int]:
        every = (Pictures(BEGIN_NS + k * NS // 15, {}) for k in range(round(self.seconds * 15)))
        return [one.stamp_ns for one in spaced(every)]


def test_a_stored_clip_is_not_thinned_again(tmp_path: Path) -> None:
    clip = Fast(seconds=17.0, rig=rig(('front',)))
    made = list(cut_clip(clip, tmp_path, Cut(8.0, 'a test'), NANO))
    parts = [m for m in made if isinstance(m, storage.Meta)]
    read = [[f.stamp_ns for f in StoredClip(tmp_path / m.name).pictures()] for m in parts]
    assert [len(stamps) for stamps in read] == [m.instants for m in parts] and len(parts) == 2
    assert clip.stamps[: sum(map(len, read))] == sum(read, [])
