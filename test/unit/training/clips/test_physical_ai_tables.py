"""Tables of PhysicalAI-AV that somebody filled otherwise: named, and the other clips are made."""

import datetime
import errno
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import made_up_physical_ai as made_up
import numpy as np
import pytest
from made_up_clips import NANO, StraightClip
from typer.testing import CliRunner

from alpamayo_ros.cli.clips import making, sharding
from alpamayo_ros.cli.data import app
from alpamayo_ros.datasets import physical_ai
from alpamayo_ros.datasets.parquet_table import numbers
from alpamayo_ros.training.clips.clip import Pictures
from alpamayo_ros.training.clips.cutting import Cut, cut_clip
from alpamayo_ros.training.clips.physical_ai_clips import PhysicalAiClip, PhysicalAiClips
from alpamayo_ros.training.clips.recorded_clip import ClipError

Table = dict[str, list[Any]]
AHEAD = 'camera_front_wide_120fov'
NOON = datetime.datetime(2025, 1, 1, 12)


@pytest.fixture
def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Any], None]:
    """Makes a clip in tables of JSON, and a column of all its tables become something else."""

    def change(column: str, by: Callable[[list[Any]], list[Any]]) -> None:
        def read(source: Path | bytes, wanted: tuple[str, ...]) -> Table:
            data = source if isinstance(source, bytes) else source.read_bytes()
            found = json.loads(data)
            return {name: by(found[name]) if name == column else found[name] for name in wanted}

        monkeypatch.setattr(physical_ai, 'read_parquet', read)
        made_up.write_physical_ai(tmp_path, lambda columns: json.dumps(columns).encode())

    return change


def the_clip(root: Path) -> PhysicalAiClip:
    (clip,) = list(PhysicalAiClips(root).clips())
    return clip


@pytest.mark.parametrize(
    ('value', 'shown'), [(None, 'None'), (float('nan'), 'nan'), (NOON, 'datetime'), ([1.0], '[')]
)
def test_a_value_that_is_no_number_is_named(value: object, shown: str) -> None:
    with pytest.raises(ValueError, match='a table: x is ') as refused:
        numbers({'x': [1.0, value], 'y': [None, None]}, ('x',), 'a table')
    assert shown in str(refused.value) and 'expected a finite number' in str(refused.value)
    assert numbers({'x': ['2', 3]}, ('x',), 'a table')['x'].tolist() == [2.0, 3.0]


@pytest.mark.parametrize(
    ('column', 'by', 'said'),
    [
        ('timestamp', lambda v: v[::-1], 'egomotion of .*expected rows in the order of time'),
        ('timestamp', lambda v: [1000 * t for t in v], '0.006 m/s by x, y and timestamp, 6 m/s'),
        ('x', lambda v: [None, *v[1:]], 'x is None'),
        ('qw', lambda v: [0.0] * len(v), 'a quaternion of zeros'),
    ],
)
def test_egomotion_that_cannot_be_is_refused(
    column: str, by: Any, said: str, changed: Any, tmp_path: Path
) -> None:
    changed(column, by)
    with pytest.raises(ValueError, match=said):
        physical_ai.read_states(the_clip(tmp_path).files)


@pytest.mark.parametrize(
    ('by', 'said'),
    [
        (lambda v: [*v[30:], *v[:30]], 'expected rows in the order of time'),
        (lambda v: [v[0], *v[:-1]], 'timestamp 0 and then 0'),
        (lambda v: [1000 * t for t in v], 'pictures are 33.3 s apart; expected .*microseconds'),
        (lambda _: [], '0 rows; expected two or more'),
    ],
)
def test_stamps_of_pictures_that_cannot_be_are_refused(
    by: Any, said: str, changed: Any, tmp_path: Path
) -> None:
    changed('timestamp', by)
    with pytest.raises(ValueError, match=f'{AHEAD} of {made_up.CLIP}: .*{said}'):
        next(the_clip(tmp_path).pictures())


def test_a_film_with_another_number_of_pictures_than_stamps_is_refused(
    changed: Any, tmp_path: Path
) -> None:
    changed('timestamp', lambda v: v if len(v) > 100 else v[::3])
    with pytest.raises(ClipError, match='has 61 pictures, and there are 21 stamps'):
        next(the_clip(tmp_path).pictures())


@pytest.mark.parametrize('column', ['cx', 'qw', 'wheelbase'])
def test_a_calibration_without_a_number_names_clip_and_column(
    column: str, changed: Any, tmp_path: Path
) -> None:
    changed(column, lambda v: [None] * len(v))
    with pytest.raises(ValueError, match=f'of {made_up.CLIP}: {column} is None'):
        _ = the_clip(tmp_path).rig


def test_dimensions_that_no_vehicle_has_name_the_clip(changed: Any, tmp_path: Path) -> None:
    changed('wheelbase', lambda _: [-2.0])
    with pytest.raises(ValueError, match=f'{made_up.CLIP}: the dimensions .*wheelbase_m.*-2.0'):
        _ = the_clip(tmp_path).rig


@pytest.mark.parametrize(
    ('events', 'said'),
    [('[{', 'are no JSON'), (5, 'are no JSON'), ('{"a": 1}', "are {'a': 1}; expected a list")],
)
def test_events_that_are_none_are_named(
    events: object, said: str, changed: Any, tmp_path: Path
) -> None:
    changed('events', lambda _: [events])
    with pytest.raises(ValueError, match=f'events of {made_up.CLIP} {said}'):
        physical_ai.reasoning(tmp_path)


def test_events_may_be_lists_and_those_without_a_time_are_left_out(
    changed: Any, tmp_path: Path
) -> None:
    times = (float('nan'), 'later', None, 5.0)
    rows = [{'event_start_timestamp': when, 'cot': f'{when}'} for when in times]
    changed('events', lambda _: [rows])
    assert physical_ai.reasoning(tmp_path) == {made_up.CLIP: [(5, '5.0')]}


def test_pictures_of_another_size_than_the_rig_says_make_no_clip(tmp_path: Path) -> None:
    class Halved(StraightClip):
        def pictures(self) -> Iterator[Pictures]:
            for one in super().pictures():
                small = {k: np.zeros((18, 32, 3), np.uint8) for k in one.by_camera}
                yield Pictures(one.stamp_ns, small)

    with pytest.raises(ValueError, match='is 32 x 18 pixels; its rig says 64 x 36'):
        list(cut_clip(Halved(), tmp_path, Cut(20.0, 'a test'), NANO))


class Broken(StraightClip):
    def pictures(self) -> Iterator[Pictures]:
        raise ClipError('its film is damaged')


class Both:
    def __init__(self, *sound: StraightClip) -> None:
        self.sound = sound

    def clips(self) -> Iterator[StraightClip]:
        yield Broken(name='first')
        yield from self.sound


def test_a_clip_that_cannot_be_read_does_not_end_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, 'opened', lambda *_: Both(StraightClip(name='second')))
    done = CliRunner().invoke(app, ['clips', str(tmp_path), '--out', str(tmp_path / 'out')])
    assert done.exit_code == 5 and 'no clip: first: its film is damaged' in done.stderr
    assert '1 clip in' in done.stdout and '1 unreadable' in done.stdout
    assert (tmp_path / 'out' / 'second_000' / 'clip.json').is_file()


def test_a_clip_that_cannot_be_read_does_not_end_a_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')
    out, sound = tmp_path / 'a-0', StraightClip(name='second', seconds=1.0)
    for clips, said in ((Both(sound), ''), (Both(), 'no shard: none of the clips gives a sample')):
        monkeypatch.setattr(sharding, 'opened', lambda *_, c=clips: c)
        done = CliRunner().invoke(app, ['shards', str(tmp_path), '--out', str(out)])
        assert done.exit_code == 5 and 'no clip: first: its film is damaged' in done.stderr
        assert said in done.stderr and ('1 clip unreadable' in done.stdout) == (not said)
        assert (out / 'meta.json').is_file() == (not said)
        out = tmp_path / 'b-0'


def test_a_damaged_chunk_is_said_when_its_clip_is_read(changed: Any, tmp_path: Path) -> None:
    changed('', None)
    folder = tmp_path / 'camera' / AHEAD
    (folder / f'{AHEAD}.chunk_0007.zip').write_bytes(b'half')
    with pytest.raises(ValueError, match='chunk_0007.zip: File is not a zip file'):
        next(the_clip(tmp_path).pictures())
    shutil.rmtree(folder)
    with pytest.raises(ClipError, match='no clip of the index has a film'):
        list(PhysicalAiClips(tmp_path).clips())


def test_a_full_disk_names_the_film_that_could_not_be_unpacked(
    changed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, 'No space left on device')

    changed('', None)
    monkeypatch.setattr(Path, 'write_bytes', full)
    with pytest.raises(OSError, match='No space left') as refused:
        next(the_clip(tmp_path).pictures())
    assert str(refused.value.filename).endswith(f'{AHEAD}.mp4')
