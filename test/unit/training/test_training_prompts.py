"""Instruction and prompt are part of a sample, and the expert's plan obeys the prompt."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('torch', reason='torch is not installed: ./run test installs it')

import torch

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.tiny import tiny
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import ModelProfile, load_profile
from alpamayo_ros.simulation.driving_wish import read_prompt, wordings
from alpamayo_ros.simulation.worlds.simulation import Simulation
from alpamayo_ros.training import collect
from alpamayo_ros.training.batches import real_prefix, without_words
from alpamayo_ros.training.dataset import Dataset, ShardWriter
from alpamayo_ros.training.policy import BatchPolicy
from alpamayo_ros.training.sample_recorder import Recorder
from alpamayo_ros.training.starts import training_scenario
from alpamayo_ros.training.vocabulary import build_vocabulary

PROMPT = 'drive more conservatively'


@pytest.fixture(scope='module')
def profile() -> ModelProfile:
    small = tiny(load_profile('nano'))
    return small.model_copy(update={'text': small.text.model_copy(update={'max_prefix': 48})})


@pytest.fixture(scope='module')
def grammar(profile: ModelProfile) -> Grammar:
    return build_vocabulary(profile)


@pytest.fixture(scope='module')
def rows(profile: ModelProfile, grammar: Grammar) -> list[dict]:
    """One state twice: nothing asked, and asked to drive more conservatively."""
    sim = Simulation(training_scenario('winding_road'), 10000)
    sim.place(60.0, speed_mps=9.0)
    writer = ShardWriter()
    for prompt in ('', PROMPT):
        recorder = Recorder(sim, profile, grammar, writer, 10000, prompt)
        recorder.record(0.0, recorder.look())
    sim.close()
    return writer.rows


def test_a_sample_holds_the_words_of_the_passenger(rows: list[dict], grammar: Grammar) -> None:
    said = [grammar.tokenizer.decode([i for i in r['prefix'] if i >= 0]) for r in rows]
    assert all('follow the road' in text for text in said)
    assert PROMPT in said[1] and PROMPT not in said[0]


def test_the_plan_of_a_sample_obeys_the_prompt(rows: list[dict]) -> None:
    plain, careful = (float(np.hypot(*r['plan'][-1, :2])) for r in rows)
    assert careful < 0.95 * plain


def test_prompts_are_drawn_of_the_training_wordings_alone() -> None:
    drawn = {collect.passenger(np.random.default_rng(seed)) for seed in range(400)}
    held_out = {words for _, words in wordings('held_out') if '{n}' not in words}
    assert '' in drawn and len(drawn) > 8 and not drawn & held_out
    assert {collect.passenger(np.random.default_rng(seed), 0.0) for seed in range(40)} == {''}
    assert not any(read_prompt(text).unknown for text in drawn)


def test_words_can_be_taken_from_a_sample() -> None:
    stored = torch.tensor([[5, 6, 7, -1], [5, 7, -1, -1]])
    ids, valid = real_prefix(stored)
    assert ids.shape == (2, 3) and valid.tolist() == [[1, 1, 1], [1, 1, 0]]
    silent = torch.tensor([[True], [False]])
    ids, valid = without_words(ids, valid, silent, torch.tensor([5, 7]))
    assert ids[0].tolist() == [5, 7, 0] and valid[0].tolist() == [1, 1, 0]
    assert ids[1, :2].tolist() == [5, 7] and valid[1].tolist() == [1, 1, 0]


def test_the_policy_reads_the_words(
    rows: list[dict], profile: ModelProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    model = VLA(profile)
    with torch.no_grad():  # a fresh denoiser is silent: give its output and gates some weight
        for parameter in model.denoiser.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    policy = BatchPolicy(model, 2, sample_steps=2)
    views = np.full((2, *_shape(profile)), 90, np.uint8)
    noise = torch.randn(1, 1, profile.trajectory.points, 3)
    monkeypatch.setattr(torch, 'randn', lambda shape, **_: noise.expand(shape))
    prefix = np.stack([r['prefix'] for r in rows])
    plans = policy.act([0, 1], [0.0, 0.0], views, np.array([5.0, 5.0]), prefix)
    assert np.abs(plans[0] - plans[1]).max() > 1e-4
    policy.regression = True
    again = policy.act([0, 1], [0.2, 0.2], views, np.array([5.0, 5.0]), prefix)
    assert again.shape == plans.shape and np.abs(again - plans).max() > 1e-4


def _shape(profile: ModelProfile) -> tuple[int, int, int, int]:
    view = profile.views[0]
    return len(profile.views), view.height, view.width, 3


def test_a_short_drive_of_the_expert_becomes_a_shard(
    tmp_path: Path, profile: ModelProfile, grammar: Grammar
) -> None:
    made = collect.collect_expert([10001], ['random'], tmp_path, profile, grammar, steps=6)
    data = Dataset([tmp_path])
    assert len(data) == made >= 2
    assert data.rows['prefix'].shape == (made, profile.text.max_prefix)
