"""Other data sets as clips: nuScenes' format, PhysicalAI-AV's layout, other packages' own."""

import io
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import made_up_physical_ai as made_up
import numpy as np
import pytest
from made_up_clips import NANO
from made_up_nuscenes import write_nuscenes

from alpamayo_ros.datasets import parquet_table, physical_ai
from alpamayo_ros.datasets.physical_ai import INDEX
from alpamayo_ros.profile import load_profile, share_dir
from alpamayo_ros.statuses import ConfigError, MachineError
from alpamayo_ros.training.clips import nuscenes_clips, sources
from alpamayo_ros.training.clips.clip import ClipSource
from alpamayo_ros.training.clips.cutting import Cut, cut_clip
from alpamayo_ros.training.clips.nuscenes_clips import NuscenesClips
from alpamayo_ros.training.clips.physical_ai_clips import PhysicalAiClips
from alpamayo_ros.training.clips.recorded_clip import ClipError, RecordedClips, StoredClips
from alpamayo_ros.training.clips.samples import moments
from alpamayo_ros.training.clips.sources import open_source


def test_scenes_are_read_for_the_profile_that_is_named(tmp_path: Path) -> None:
    write_nuscenes(tmp_path)
    chosen = load_profile('alpamayo-0.5b')
    assert [clip.profile for clip in NuscenesClips(tmp_path, chosen).clips()] == [chosen]


def test_a_scene_of_nuscenes_format_is_a_clip(tmp_path: Path) -> None:
    write_nuscenes(tmp_path)
    source = open_source(str(tmp_path))
    assert isinstance(source, NuscenesClips)
    for clip in source.clips():
        assert clip.name == 'scene-0061'
        found = list(moments(clip, NANO))
        assert len(found) == 11 and all(m.car is not None for m in found)
        assert found[5].car is not None and found[5].car.speed_mps == pytest.approx(8.0, abs=0.05)
        seen = {v.camera for v, there in zip(NANO.views, found[5].seen, strict=True) if there}
        assert seen == {'front', 'rear_left'} and found[5].note.words == ''
    shutil.rmtree(tmp_path / 'samples')
    shutil.rmtree(tmp_path / 'sweeps')
    with pytest.raises(FileNotFoundError, match='no scene has its pictures'):
        list(source.clips())


def test_a_scene_that_cannot_be_read_does_not_end_the_others(tmp_path: Path) -> None:
    write_nuscenes(tmp_path)
    for name, moved in (
        ('scene', {'name': 'scene-0062', 'token': 'other'}),
        ('sample', {'token': 'of other', 'scene_token': 'other'}),
        ('sample_data', {'sample_token': 'of other'}),
    ):
        table = tmp_path / 'v1.0-mini' / f'{name}.json'
        rows = json.loads(table.read_text())
        again = [row | {'token': f'again {row["token"]}'} | moved for row in rows]
        table.write_text(json.dumps(rows + (again if name == 'sample_data' else again[:1])))
    (tmp_path / 'samples' / 'CAM_FRONT' / '0.jpg').write_bytes(b'half')
    first, second = NuscenesClips(tmp_path).clips()
    assert (first.name, second.name) == ('scene-0061', 'scene-0062')
    for asked in (lambda: first.rig, lambda: first.notes, lambda: first.states, first.pictures):
        with pytest.raises(ValueError, match='0.jpg: no picture; expected JPEG or PNG'):
            asked()


def test_stamps_in_milliseconds_are_named_as_such(tmp_path: Path) -> None:
    write_nuscenes(tmp_path)
    for name in ('sample', 'sample_data', 'ego_pose'):
        table = tmp_path / 'v1.0-mini' / f'{name}.json'
        rows = json.loads(table.read_text())
        table.write_text(json.dumps([r | {'timestamp': r['timestamp'] // 1000} for r in rows]))
    (clip,) = list(NuscenesClips(tmp_path).clips())
    with pytest.raises(ValueError, match=r'16.1 m in 0.002.* s; expected timestamps in micro'):
        clip.pictures()


def test_a_scene_without_the_camera_ahead_is_not_cut_for_nothing(tmp_path: Path) -> None:
    write_nuscenes(tmp_path)
    for folder in ('samples', 'sweeps'):
        shutil.rmtree(tmp_path / folder / 'CAM_FRONT')
    scenes = NuscenesClips(tmp_path).clips()
    with pytest.raises(ClipError, match='nano wants camera front; the rig has rear_left'):
        list(cut_clip(next(scenes), tmp_path / 'clips', Cut(30.0, 'a test'), NANO))
    assert not (tmp_path / 'clips').exists()


def test_a_damaged_table_is_of_all_scenes(tmp_path: Path) -> None:
    write_nuscenes(tmp_path)
    table = tmp_path / 'v1.0-mini' / 'ego_pose.json'
    table.write_text('[{')
    with pytest.raises(ConfigError, match='ego_pose.json is no JSON'):
        list(NuscenesClips(tmp_path).clips())
    table.unlink()
    with pytest.raises(ConfigError, match='no ego_pose.json in'):
        list(NuscenesClips(tmp_path).clips())


def test_a_scene_whose_name_leaves_the_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nuscenes_clips, 'scene_names', lambda _: ['../../scene'])
    monkeypatch.setattr(nuscenes_clips, 'convert', lambda *_, **__: pytest.fail('it was written'))
    with pytest.raises(ConfigError, match='cannot name a clip'):
        next(NuscenesClips(tmp_path).clips())


def test_a_profile_says_which_cameras_of_a_recording_count(folder: Path) -> None:
    front = NANO.model_copy(update={'cameras': NANO.cameras[:1]})
    (clip,) = list(RecordedClips(folder / 'drive.mcap', profile=front).clips())
    assert set(next(clip.pictures()).by_camera) == {'front'}
    (stored,) = list(StoredClips(folder.parent, profile=front).clips())
    assert set(next(stored.pictures()).by_camera) == {c.name for c in stored.rig.cameras}


# ---- PhysicalAI-AV ------------------------------------------------------------------------------
def as_json(columns: dict[str, list[Any]]) -> bytes:
    return json.dumps(columns).encode()


def as_parquet(columns: dict[str, list[Any]]) -> bytes:
    try:
        pyarrow, parquet = parquet_table.load_pyarrow()
    except MachineError as missing:
        pytest.skip(str(missing))
    out = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), out)
    return out.getvalue()


@pytest.fixture(params=['stand_in', 'parquet'])
def published(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The made-up clip, in tables of JSON for machines without pyarrow, and in parquet."""
    if request.param == 'stand_in':

        def read(source: Path | bytes, wanted: tuple[str, ...]) -> dict[str, list[Any]]:
            data = source if isinstance(source, bytes) else source.read_bytes()
            return {name: json.loads(data)[name] for name in wanted}

        monkeypatch.setattr(physical_ai, 'read_parquet', read)
    table = as_json if request.param == 'stand_in' else as_parquet
    made_up.write_physical_ai(tmp_path, table)
    return tmp_path


def test_a_published_clip_is_read_from_its_chunks(published: Path) -> None:
    source = open_source(str(published))
    assert isinstance(source, PhysicalAiClips)
    (clip,) = list(source.clips())
    assert clip.name == made_up.CLIP
    found = list(moments(clip, NANO))
    assert [round((m.t0_ns - physical_ai.EPOCH_NS) / 1e8) for m in found] == list(range(21))
    one = found[10]
    assert one.car is not None and one.car.speed_mps == pytest.approx(made_up.SPEED_MPS)
    assert one.car.x_m == pytest.approx(made_up.SPEED_MPS, abs=1e-6)
    assert one.future is not None and one.future[9, 0] == pytest.approx(6.0, abs=1e-3)
    assert one.note.words.startswith('Keep speed') and found[9].note.words == ''
    front = one.views[NANO.view_index('front'), 32, 56]
    assert np.abs(front.astype(int) - (20 + 3 * 30)).max() <= 6  # the 30th picture of the film
    assert one.seen[NANO.view_index('front_left')] and not one.seen[NANO.view_index('rear')]


def test_its_lens_and_mounts_are_those_of_the_rig(published: Path) -> None:
    (clip,) = list(PhysicalAiClips(published).clips())
    front, left = clip.rig.camera('front'), clip.rig.camera('front_left')
    assert front.matrix[0, 0] == made_up.FOCAL_PX and front.distortion.model == 'ftheta'
    np.testing.assert_allclose(front.distortion.coefficients[1:], (0.0, -0.5 / 30, 0.0))
    assert 1.2 < front.distortion.coefficients[0] < 1.3  # the corner, 36.7 pixels from the middle
    assert left.mount.yaw_rad == pytest.approx(np.radians(60)) and front.mount.z_m == 1.5
    assert clip.rig.vehicle.rear_axle_to_front_bumper_m == pytest.approx(3.8)


def test_what_is_missing_of_it_is_named(published: Path) -> None:
    shutil.rmtree(published / 'labels')
    (clip,) = list(PhysicalAiClips(published).clips())
    with pytest.raises(FileNotFoundError, match='no egomotion below'):
        list(moments(clip, NANO))
    shutil.rmtree(published / 'camera')
    with pytest.raises(ClipError, match='no clip of the index has a film of camera_front_wide'):
        list(PhysicalAiClips(published).clips())


def test_a_clip_that_its_chunk_lacks_is_named(published: Path) -> None:
    """Chunks that were not downloaded are passed over; this one was."""
    table = as_json if (published / INDEX).read_bytes().startswith(b'{') else as_parquet
    rows = {'clip_id': ['lost', made_up.CLIP, 'elsewhere'], 'chunk': [made_up.CHUNK] * 2 + [8]}
    (published / INDEX).write_bytes(table(rows))
    lost, whole = PhysicalAiClips(published).clips()
    assert (lost.name, whole.name) == ('lost', made_up.CLIP)
    with pytest.raises(ValueError, match='^lost: .*chunk_0007.zip has no film of it'):
        list(moments(lost, NANO))


def test_an_index_that_is_not_there_is_called_missing(tmp_path: Path) -> None:
    as_parquet({'skips': ['without pyarrow']})
    with pytest.raises(FileNotFoundError, match='there is no .*clip_index.parquet'):
        next(PhysicalAiClips(tmp_path).clips())


def test_without_pyarrow_a_table_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_table, 'import_module', absent)
    with pytest.raises(MachineError, match=r'pip install --no-deps --target \S+ pyarrow=='):
        parquet_table.read_parquet(tmp_path / 'a.parquet', ('x',))


def absent(name: str) -> object:
    raise ModuleNotFoundError(f'No module named {name!r}')


def test_the_pin_of_the_remedy_is_that_of_the_viewer() -> None:
    pins = (share_dir() / 'requirements' / 'view.txt').read_text().split()
    assert parquet_table.PIN in pins


def test_reading_parquet_leaves_no_pyarrow_that_libsumo_would_find(tmp_path: Path) -> None:
    table = tmp_path / 'a.parquet'
    table.write_bytes(as_parquet({'x': [1.5, None]}))
    before = list(sys.path)
    assert parquet_table.read_parquet(table, ('x',)) == {'x': [1.5, None]}
    assert sys.path == before


# ---- other packages -----------------------------------------------------------------------------
MODULE = """
from made_up_clips import StraightClip

class Straight:
    def __init__(self, path):
        self.path = path

    def clips(self):
        yield StraightClip(name=self.path.name)

class NoSource:
    def __init__(self, path):
        pass
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package that offers two classes, as an installer leaves it."""
    (tmp_path / 'their_data.py').write_text(MODULE)
    info = tmp_path / 'their_data-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: their_data\nVersion: 1.0\n')
    points = 'straight = their_data:Straight\nwrong = their_data:NoSource\nno = their_data:None_'
    (info / 'entry_points.txt').write_text(f'[{sources.GROUP}]\n{points}\n')
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path


def test_another_package_plugs_in_by_its_name(site: Path) -> None:
    source = open_source(f'straight:{site}')
    assert isinstance(source, ClipSource)
    assert [clip.name for clip in source.clips()] == [site.name]
    assert 'straight' in sources.names()
    for text, words in (
        (f'straigt:{site}', 'did you mean straight?'),
        (f'wrong:{site}', 'has no method clips'),
        (f'no:{site}', 'AttributeError'),
        (f'straight:{site}/none', 'there is no'),
    ):
        with pytest.raises(ConfigError, match=words):
            open_source(text)


def test_a_path_tells_what_it_is(folder: Path, tmp_path: Path) -> None:
    assert isinstance(open_source(str(folder.parent)), StoredClips)
    assert isinstance(open_source(str(folder / 'drive.mcap')), RecordedClips)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ConfigError, match='holds no clips; expected clips, recording, nuscenes'):
        open_source(str(tmp_path / 'empty'))
    with pytest.raises(ConfigError, match='neither a file nor a folder'):
        open_source(str(tmp_path / 'none'))
