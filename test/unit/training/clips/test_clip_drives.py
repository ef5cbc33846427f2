"""A drive of the expert as a clip: true words at every instant, made again by what it says."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from alpamayo_ros.cli.data import app
from alpamayo_ros.training.clips import quality, storage
from alpamayo_ros.training.clips.clip import FUTURE_S
from alpamayo_ros.training.clips.recorded_clip import StoredClip


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(w) for w in words], env={'COLUMNS': '300'})
    return done.exit_code, done.output


@pytest.fixture(scope='module')
def driven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shortest clip with a leader, in five parts, at the wish of a passenger."""
    out = tmp_path_factory.mktemp('driven')
    code, said = run('clips', '--scenario', 'slowing_leader', '--seeds', '10003', '--seconds', 8,
                     '--prompt', 'drive more conservatively', '--out', out)  # fmt: skip
    assert code == 0 and 'slowing_leader_10003: 8.0 s, 81 instants' in said, said
    return out / 'slowing_leader_10003'


def test_every_instant_has_true_words_and_what_was_driven(driven: Path) -> None:
    meta, notes = storage.read_meta(driven), StoredClip(driven).notes
    assert storage.damage(driven) == '' and len(notes) == meta.instants == 81
    assert all(n.words.count('\n') == 4 for n in notes)  # five parts
    assert all(len(n.trajectory) == round(FUTURE_S * 10) and len(n.plan) == 60 for n in notes)
    assert all(n.prompt == 'drive more conservatively' for n in notes)
    assert all(n.facts is not None and 'present' in n.facts['lead'] for n in notes)
    assert all(n.lines[0].points[5] == pytest.approx((0.0, 0.0), abs=0.5) for n in notes)
    assert all(n.cause is not None and n.dense is not None for n in notes)
    found = quality.filter_clip(driven, quality.load_bars())
    assert found.verdict == 'keep' and found.figures['binding_named'] == 1.0, found.reasons


def test_the_same_call_leaves_it_and_another_one_is_refused(driven: Path) -> None:
    mark = (driven / 'drive.mcap').stat().st_mtime_ns
    words = storage.read_meta(driven).made_of.split()[3:]
    assert words[:4] == ['--scenario', 'slowing_leader', '--seeds', '10003']
    again = ['--prompt', 'drive more conservatively', '--out', driven.parent]
    code, said = run('clips', *words[:8], *again)
    assert code == 0 and '1 clip in' in said, said
    assert (driven / 'drive.mcap').stat().st_mtime_ns == mark
    code, said = run('clips', *words[:5], 9, '--out', driven.parent)
    assert code == 2 and 'is of another call' in said


def test_a_drive_deletes_nothing_that_is_no_clip(tmp_path: Path) -> None:
    file = tmp_path / 'slowing_leader_7' / 'photo.jpg'
    file.parent.mkdir()
    file.write_bytes(b'mine')
    code, said = run('clips', '--scenario', 'slowing_leader', '--seeds', 7, '--out', tmp_path)
    assert code == 2 and 'holds photo.jpg, so it is no unfinished clip' in said
    assert file.read_bytes() == b'mine'
