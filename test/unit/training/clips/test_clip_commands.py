"""The commands about clips: what they say, and how they end."""

import json
import re
import shutil
from pathlib import Path

import made_up_clips
import pytest
import yaml
from typer.testing import CliRunner

from alpamayo_ros.cli.common.alone import alone
from alpamayo_ros.cli.data import app
from alpamayo_ros.profile import load_profile
from alpamayo_ros.training.clips import clip_stats, storage
from alpamayo_ros.training.clips.clip import Note


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(w) for w in words], env={'COLUMNS': '300'})
    return done.exit_code, done.output


def test_filter_and_stats_count_and_name_what_is_damaged(folder: Path) -> None:
    code, said = run('filter', folder)
    assert code == 0 and 'keep                         1' in said and 'damaged' not in said
    code, said = run('stats', '--json', folder.parent)
    found = json.loads(said)
    assert code == 0 and (found['clips'], found['seconds'], found['notes']) == (1, 8.0, 81)
    assert found['verdict_keep'] == found['words_phrases_v1'] == 1
    assert found['share']['worded'] == found['share']['with_future'] == 1.0
    (folder / 'drive.mcap').write_bytes(b'x')
    for command in ('filter', 'stats'):
        code, said = run(command, folder.parent)
        assert code == 5 and 'has 1 bytes' in said
    assert 'damaged                      1' in run('filter', folder)[1]
    code, said = run('review', folder, '--out', folder.parent / 'page.html')
    assert code == 5 and not (folder.parent / 'page.html').exists()


def test_shares_of_what_is_driven_next_are_of_those_whose_next_seconds_are_known() -> None:
    stops = tuple((0.0, 0.0, 0.0) for _ in range(60))
    notes = [Note(t0_ns=k, speed_mps=8.0, trajectory=stops * (k < 2)) for k in range(4)]
    share = clip_stats._of_notes(notes)['share']
    assert (share['with_future'], share['braking'], share['turning']) == (0.5, 1.0, 0.0)
    share = clip_stats._of_notes(notes[2:])['share']
    assert share['with_future'] == 0.0 and 'braking' not in share and 'turning' not in share


def test_a_page_is_written_and_corrections_come_back(folder: Path) -> None:
    page, file = folder.parent / 'page.html', folder.parent / 'corrections.yaml'
    code, said = run('review', folder, '--out', page, '--every', 8)
    assert code == 0 and 'page.html: 1 clip;' in said and page.stat().st_size > 10_000
    code, said = run('review', folder, '--out', folder.parent)
    assert code == 2 and 'a folder; expected a file to write' in said.replace('\n', ' ')
    file.write_text('format: 1\nclips: {straight_000: {verdict: escalate}}\n')
    code, said = run('review', folder, '--apply', file)
    assert code == 0 and 'straight_000: escalate (by the review), 0 words changed' in said
    file.write_text('clips: {straight_000: {verdct: drop}}\n')
    code, said = run('review', folder, '--apply', file)
    assert code == 2 and 'did you mean verdict' in said


def test_a_verdict_that_no_clip_has_is_refused_with_those_there_are(folder: Path) -> None:
    page = folder.parent / 'page.html'
    code, said = run('review', folder, '--out', page, '--verdict', 'drop')
    assert code == 2 and '--verdict drop: no clip has it; there are 1 unjudged' in said
    run('filter', folder)
    code, said = run('review', folder, '--out', page, '--verdict', 'unjudged')
    assert code == 2 and 'there are 1 keep' in said and not page.exists()


def test_a_page_whose_instants_are_endlessly_apart_is_refused(folder: Path) -> None:
    code, said = run('review', folder, '--out', folder.parent / 'page.html', '--every', 'inf')
    assert code == 2 and '--every' in said


def test_a_recording_is_cut_into_clips(folder: Path, tmp_path: Path) -> None:
    bag, out = folder / 'drive.mcap', tmp_path / 'b'
    code, said = run('clips', bag, '--licence', 'CC0-1.0', '--out', out)
    assert code == 0 and 'drive_000: 8.0 s, 81 instants' in said, said
    meta = storage.read_meta(out / 'drive_000')
    assert (meta.origin, meta.licence, meta.grammar) == ('recorded', 'CC0-1.0', '')
    note = storage.read_annotation(out / 'drive_000').notes[0]
    assert note.words == '' and len(note.trajectory) == 64
    (folder / 'drive.rig.yaml').unlink()
    code, said = run('clips', bag, '--out', tmp_path / 'c')
    assert code == 2 and 'name one with --rig' in said


def test_clips_are_not_cut_into_the_folder_that_they_lie_in(folder: Path, tmp_path: Path) -> None:
    for out in (folder.parent, folder.parent / 'again'):
        code, said = run('clips', folder.parent, '--out', out)
        assert code == 2 and 'of which it is made; choose another' in said, said
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]
    meta, found = storage.read_both(folder)
    storage.amend(folder, found.model_copy(update={'verdict': 'drop', 'by': 'review'}), meta)
    code, said = run('clips', folder.parent, '--out', tmp_path / 'b')
    assert code == 3 and 'left out by their verdicts: 1 drop' in said, (code, said)


def test_a_recording_that_is_cut_off_is_damage(folder: Path, tmp_path: Path) -> None:
    bag = folder / 'drive.mcap'
    bag.write_bytes(bag.read_bytes()[:-2000])
    for command, out in (('clips', 'b'), ('shards', 'c-0')):
        code, said = run(command, bag, '--out', tmp_path / out)
        assert code == 5 and 'BAG_BROKEN' in said and 'alpamayo data recover' in said, said
        assert not (tmp_path / out).exists()


def test_options_without_an_effect_are_refused(folder: Path) -> None:
    drive = ('--scenario', 'slowing_leader', '--seeds', 7)
    for first, option in (
        (drive, ('--rig', 'a.yaml')), (drive, ('--map', '/a:=b')), (drive, ('--licence', 'x')),
        ((folder / 'drive.mcap',), ('--seeds', 7)), ((folder / 'drive.mcap',), ('--prompt', 'x')),
        ((folder / 'drive.mcap',), ('--words', 'phrases_v1')),
    ):  # fmt: skip
        code, said = run('clips', *first, *option, '--out', folder.parent / 'none')
        assert code == 2 and f'{option[0]} is for' in said


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A profile file that speaks the grammar of the clips."""
    grammar = pytest.importorskip('first_grammar', reason='torch is not installed')
    path = tmp_path / 'first.yaml'
    path.write_text(
        yaml.safe_dump(grammar.first_profile().model_dump(mode='json') | {'name': 'first'})
    )
    return path


def test_shards_leave_out_what_was_dropped(folder: Path, tmp_path: Path, first: Path) -> None:
    out = tmp_path / 'data' / 'clips-0'
    meta, found = storage.read_both(folder)
    storage.amend(folder, found.model_copy(update={'verdict': 'escalate', 'by': 'review'}), meta)
    code, said = run('shards', folder, '--out', out)
    assert code == 2 and 'no clip is taken, left out by their verdicts: 1 escalate' in said
    both = made_up_clips.stored(folder.parent, made_up_clips.StraightClip(name='other'))
    code, said = run('shards', folder.parent, '--out', tmp_path / 'b', '--profile', first)
    assert code == 0 and '81 samples; left out by their verdicts: 1 escalate' in said
    shutil.rmtree(both)
    code, said = run('shards', folder, '--escalated', '--out', out, '--profile', first)
    assert code == 0 and '1 clip, 81 worded' in said and '81 samples' in said
    code, said = run('shards', folder, '--out', out)
    assert code == 2 and 'holds a shard already' in said


def test_a_shard_is_not_written_among_other_files(folder: Path) -> None:
    code, said = run('shards', folder, '--out', folder.parent)
    assert code == 2 and f'holds {folder.name}; name a folder of its own' in said
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]
    unfinished = folder.parent / 'clips-0'
    unfinished.mkdir()
    (unfinished / 'frames.npy').write_bytes(b'of a command that was ended')
    assert run('shards', folder, '--out', unfinished)[0] == 0


def test_a_shard_without_a_word_that_the_model_speaks_warns(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')
    for words, warned in (('counterfactual: none', True), ('', False)):
        meta, found = storage.read_both(folder)
        notes = tuple(n.model_copy(update={'words': words}) for n in found.notes)
        storage.amend(folder, found.model_copy(update={'notes': notes}), meta)
        done = CliRunner().invoke(
            app, ['shards', str(folder), '--out', str(tmp_path / f'clips-{len(words)}')]
        )
        assert done.exit_code == 0 and '81 samples' in done.stdout
        assert ('nano speaks phrases_v2' in done.stderr) == warned, done.stderr
        assert (
            'clips --words phrases_v2; give clips of recordings words' in done.stderr
        ) == warned


def test_two_commands_do_not_write_one_shard(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')
    with alone(tmp_path / 'clips-0'):
        code, said = run('shards', folder, '--out', tmp_path / 'clips-0')
        assert code == 2 and 'another command writes to it now' in said
        assert not list((tmp_path / 'clips-0').iterdir())


def test_shards_in_the_words_of_a_run_want_that_run(
    folder: Path, tmp_path: Path, first: Path
) -> None:
    vocabulary = pytest.importorskip('alpamayo_ros.training.vocabulary', reason='wants torch')
    out, begun = tmp_path / 'data' / 'clips-0', tmp_path / 'mine'
    vocabulary.write_vocabulary(vocabulary.build_vocabulary(load_profile(first)), begun)
    code, said = run('shards', folder, '--out', out, '--run', tmp_path / 'mien')
    assert code == 2 and f'no run in {tmp_path}/mien; did you mean mine?' in said
    assert not out.exists()
    code, said = run('shards', folder, '--out', out, '--run', begun, '--profile', first)
    assert code == 0 and '81 worded' in said


def test_the_clips_of_the_page_are_in_the_words_of_its_recipe(repository: Path) -> None:
    page = (repository / 'docs' / 'clips.md').read_text()
    profile = re.search('^profile: (.+)$', page, re.MULTILINE)
    made = next(line for line in page.splitlines() if line.startswith('alpamayo data clips'))
    assert profile and f'--words {load_profile(profile[1]).text.grammar} ' in made


def test_ctrl_c_while_a_shard_is_written_keeps_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pictures stayed, of gigabytes, below the word that nothing was kept."""

    def pressed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr('alpamayo_ros.training.dataset.np.savez', pressed)
    code, said = run('shards', folder, '--out', tmp_path / 'shard')
    assert code == 130 and said == 'interrupted; nothing was kept\n'
    assert not (tmp_path / 'shard').exists()
