"""Drives that are held out lie apart, and the exam asks any weights the same about them."""

import json
from pathlib import Path

import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

import numpy as np
import torch
from first_grammar import first_grammar
from stream_toy import Parts, shard
from typer.testing import CliRunner

from alpamayo_ros.cli.train import app
from alpamayo_ros.cli.training import exam as command
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.checkpoint import save_weights
from alpamayo_ros.training.exam.examined import HORIZONS_S, examined, farther, figures
from alpamayo_ros.training.exam.held_out import EVERY, groups, held_out, shard_folder
from alpamayo_ros.training.reinforcement.answering import Answering
from alpamayo_ros.training.reinforcement.word_table import WordTable
from alpamayo_ros.training.shards.integrity import seal
from alpamayo_ros.training.vocabulary import write_vocabulary


def held(parts: Parts, root: Path, value: int, family: str) -> Path:
    """A shard as a simulator process holds it out; its words are one text of the grammar."""
    images, table = shard(parts, value)
    grammar = parts.grammar
    state, ids = grammar.start, []
    while not grammar.done(state):
        ids.append(grammar.allowed(state)[0])
        state = grammar.advance(state, ids[-1])
    table['coc'] = np.tile(np.array(ids, np.int16), (len(table['speed']), 1))
    table['choice'] = np.ones(table['coc'].shape, np.float32)
    folder = root / 'rank_0' / 'held_out' / f'000_10000_{value:06d}'
    folder.mkdir(parents=True)
    np.save(folder / 'frames.npy', images)
    np.savez(folder / 'samples.npz', **table)
    seal(folder, {'by': 'expert', 'family': family})
    return folder


@pytest.fixture
def root(parts: Parts, tmp_path: Path) -> Path:
    """A run's folder with two drives held out."""
    made = tmp_path / 'run'
    for value, family in ((10, 'fog'), (200, 'debris')):
        held(parts, made, value, family)
    write_vocabulary(parts.grammar, made)
    (made / 'rank_0' / 'settings.json').write_text(parts.settings.model_dump_json())
    return made


def weights(parts: Parts, folder: Path, seed: int) -> Path:
    """A run's folder with weights that say and plan something: fresh ones plan straight on."""
    torch.manual_seed(seed)
    model = VLA(parts.profile)
    with torch.no_grad():
        for parameter in model.dit.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.05)
    folder.mkdir(exist_ok=True)
    write_vocabulary(parts.grammar, folder)
    save_weights(folder / 'model.safetensors', model)
    return folder


def test_one_drive_in_so_many_is_held_out_until_there_are_enough(
    parts: Parts, tmp_path: Path
) -> None:
    settings = parts.settings.model_copy(update={'held_out': 3, 'workers': 2})
    for index, most in ((0, 2), (1, 1)):
        kept = 0
        for number in range(1, 4 * EVERY):
            place = shard_folder(tmp_path, settings, index, number)
            if place.name == 'held_out':
                assert number % EVERY == 0
                (place / f'{index:03d}_10000_{number:06d}').mkdir(parents=True)
                kept += 1
            else:
                assert place == tmp_path / 'chunks'
        assert kept == most


def test_none_is_held_out_where_none_is_wanted(parts: Parts, tmp_path: Path) -> None:
    settings = parts.settings.model_copy(update={'held_out': 0})
    places = {shard_folder(tmp_path, settings, 0, n).name for n in range(1, 3 * EVERY)}
    assert places == {'chunks'}


def test_every_state_is_asked_once_and_the_expert_himself_is_without_fault(
    parts: Parts, model: VLA, root: Path
) -> None:
    class Expert(Answering):
        """Answers with what was stored."""

        def answers(self, model, b, number, candidates=1):  # type: ignore[no-untyped-def]
            plans = b['plan'][:, None].repeat(1, candidates, 1, 1)
            plans[:, 1:, :, 1] += 1.0  # the other candidates drive a metre beside it
            plans[:, 1, plans.shape[2] // 2 :, 1] -= 2.0  # one leaps to the other side
            return self.texts(b['coc']), plans

    table = WordTable(parts.grammar, parts.profile.text.vocab_size, torch.device('cpu'))
    drives = [
        examined(model, group, Expert(table, parts.grammar))
        for group in groups(held_out(root), model, parts.grammar)
    ]
    assert [d.family for d in drives] == ['fog', 'debris']
    assert all(len(d.best_m) == len(d.agreed) == len(d.facts['lead']) == 9 for d in drives)
    found = figures(drives)
    assert {f'ade_{h:.0f}s_m' for h in HORIZONS_S} <= set(found)
    assert found['ade_6s_m'].mean == found['min_ade_8_m'].mean == 0
    assert found['mean_ade_8_m'].mean == pytest.approx(7 / 8)
    assert found['facts_f1'].mean == 1
    assert found['raw_inside_limits'].mean == pytest.approx(7 / 8)
    assert farther(drives, drives).mean == 0


def test_the_command_compares_weights_and_writes_figures_by_family(
    parts: Parts, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, 'profile_of', lambda name: parts.profile)
    first, other = (weights(parts, tmp_path / name, k) for k, name in enumerate('ab'))
    out = tmp_path / 'deep' / 'exam.json'
    words = ['exam', str(root), str(first), str(other), str(first), '--json', str(out)]
    done = CliRunner().invoke(app, words, env={'COLUMNS': '200'})
    assert done.exit_code == 0, done.output
    assert '18 states of 2 drives that nothing was learnt from' in done.output
    a, b, again = json.loads(out.read_text())
    assert a['states'] == 18 and set(a['families']) == {'fog', 'debris'}
    assert a['ade_6s_m'] != b['ade_6s_m'] and a['ade_6s_m'] == again['ade_6s_m']
    more = b['farther_than_first_m'][0]
    assert more == pytest.approx(b['ade_6s_m'][0] - a['ade_6s_m'][0], abs=1e-6)
    assert again['farther_than_first_m'] == [0, 0, 0]
    assert a['min_ade_8_m'][0] <= a['ade_6s_m'][0] and 0 <= a['facts_f1'][0] < 1


def test_what_cannot_be_asked_is_a_sentence(
    parts: Parts, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, 'profile_of', lambda name: parts.profile)

    def said(*words: object) -> str:
        done = CliRunner().invoke(app, ['exam', *map(str, words)], env={'COLUMNS': '400'})
        assert done.exit_code == 2 and isinstance(done.exception, SystemExit), done.output
        return done.output

    empty = weights(parts, tmp_path / 'empty', 0)
    assert 'held no drive out' in said(empty)
    assert 'no weights there' in said(root)
    assert 'no folder' in said(tmp_path / 'nowhere', empty)
    assert 'is a directory' in said(root, empty, '--json', tmp_path)
    other = weights(parts, tmp_path / 'other', 0)
    write_vocabulary(first_grammar(), other)
    assert 'another vocabulary' in said(root, other)
    good = weights(parts, tmp_path / 'good', 0)
    settings = root / 'rank_0' / 'settings.json'
    as_it_was = settings.read_text()
    settings.write_text('{}')
    assert 'this key is missing' in said(root, good)
    settings.unlink()
    assert f'no file {settings}' in said(root, good)
    settings.write_text(as_it_was)
    (held_out(root)[0] / 'samples.npz').write_bytes(b'half')
    assert 'samples.npz has 4 bytes' in said(root, good)
