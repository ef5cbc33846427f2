"""A released model in this package's own networks, as the vendor's process runs it; tiny sizes."""

from __future__ import annotations

import json
import subprocess
import sys
import types
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from support.released_networks import own_double, toy
from support.released_networks.asked import SETTINGS
from support.released_networks.words import Tokenizer

from alpamayo_ros.model.released.sizes import TINY, from_numbers
from alpamayo_ros.model.released.unicycle import points
from alpamayo_ros.model.released.vocabulary import FUTURE_START, PAST
from alpamayo_ros.runtime.nvidia.child import own, own_tokens
from alpamayo_ros.runtime.nvidia.child.motion import past, step_bins
from alpamayo_ros.runtime.nvidia.process import VendorProcess

TURN = 'Turn left in 40m'
NOISE = np.random.default_rng(3).standard_normal((3, 64, 3), np.float32)
PATIENCE_S = 300.0
CLOSE = 1e-5  # m, rad: the same numbers in another order


@cache
def network():
    return own_double.network(TINY)


@pytest.fixture
def engine():
    return own.made(network(), Tokenizer(), SETTINGS)


def images(seed):
    return np.random.default_rng(seed).integers(0, 256, (2, 2, 96, 128, 3), np.uint8)


def poses():
    return toy.poses()[::-1].copy()


def planned(engine, shown, instruction='', speed=8.0):
    engine.encode(shown)
    told = engine.reason(poses(), speed, instruction, 0)
    return told, engine.denoise(NOISE)


def test_sizes_cross_to_the_process():
    assert from_numbers(json.loads(json.dumps(asdict(TINY)))) == TINY


def test_the_prompt_has_past_motion_in_its_places(engine):
    positions, _ = past(poses())
    ids = engine.prompt(positions, TURN).tolist()
    bins = (PAST + step_bins(positions)).tolist()
    at = ids.index(Tokenizer().special['<|traj_history_start|>']) + 1
    assert ids[at : at + 48] == bins and ids.count(Tokenizer().special['<|traj_history|>']) == 0
    assert ids.count(151_655) == 4 * TINY.tower.tokens


def test_words_and_candidates_are_those_of_the_networks(engine):
    told, plans = planned(engine, images(0))
    ids = engine.prompt(past(poses())[0], '')
    cycle = own.made(network(), Tokenizer(), SETTINGS).cycle
    shown = torch.from_numpy(images(0)[::-1].swapaxes(0, 1).reshape(4, 96, 128, 3).copy())
    reasoned = cycle.reason(ids, cycle.encode(shown, range(4)))
    expected = points(cycle.denoise(reasoned, torch.from_numpy(NOISE[..., :2])), 8.0)
    assert told['token_ids'] == list(reasoned.words.tokens)
    assert np.abs(plans - expected.numpy()).max() <= CLOSE
    assert told['truncated'] is (FUTURE_START not in told['token_ids'])


def test_what_was_kept_changes_no_plan(engine):
    """Pictures and a draft of other words save time alone."""
    first, more = images(0), images(1)
    moved = np.stack([more[0], first[0]])
    assert engine.encode(first) == 4 and engine.encode(moved) == 2
    kept, plans = planned(engine, moved, TURN)
    again, same = planned(engine, moved, TURN)
    engine.reset()
    fresh, expected = planned(engine, moved, TURN)
    assert engine.encode(moved) == 0
    assert kept['token_ids'] == fresh['token_ids'] == again['token_ids']
    assert np.abs(plans - expected).max() <= CLOSE and np.abs(same - expected).max() <= CLOSE


def test_equal_pictures_are_encoded_once_and_stand_in_their_places(engine):
    black = images(0)
    black[:, 1] = 0
    assert engine.encode(black) == 3
    told = engine.reason(poses(), 8.0, '', 0)
    engine.reset()
    black[0, 1, 0, 0] = 1
    assert engine.encode(black) == 4 and engine.reason(poses(), 8.0, '', 0)['token_ids']
    assert told['token_ids']


def test_speed_and_words_reach_the_plan(engine):
    _, slow = planned(engine, images(0), speed=2.0)
    _, fast = planned(engine, images(0), speed=9.0)
    assert np.abs(fast[:, 0, 0] - slow[:, 0, 0] - 0.7).max() < 0.1
    _, turned = planned(engine, images(0), TURN, speed=9.0)
    assert np.abs(turned - fast).max() > 1e-3


@pytest.mark.parametrize('weight', [0.0, 1.5])
def test_guidance_weighs_the_instruction(engine, weight):
    """0: nearly the flow without it behind the same words; 1.5 lies beyond that with it."""
    _, told = planned(engine, images(0), TURN)
    _, free = planned(engine, images(0), '')
    guided = own.made(network(), Tokenizer(), replace(SETTINGS, guidance=weight))
    _, plans = planned(guided, images(0), TURN)
    _, alone = planned(guided, images(0), '')
    assert np.abs(alone - free).max() <= CLOSE  # nothing to weigh
    assert np.abs(plans - told).max() > 1e-3


def test_order_is_asked_for(engine):
    with pytest.raises(ValueError, match='reason comes after encode'):
        engine.reason(poses(), 8.0, '', 0)
    engine.encode(images(0))
    with pytest.raises(ValueError, match='denoise comes after reason'):
        engine.denoise(NOISE)
    with pytest.raises(ValueError, match='tokens, the cache has room for'):
        engine.reason(poses(), 8.0, 'left ' * 200, 0)


def test_it_times_its_cycle(engine):
    assert engine.time(1)['cycle_ms'] > 0


class Words(Tokenizer):
    """The tokenizer of a folder, before words are added."""

    lacks = 0

    def __init__(self):
        super().__init__()
        self.added = 151_669 - self.lacks

    def __len__(self):
        return self.added

    def add_tokens(self, names, special_tokens=False):
        self.added += len(names)


@pytest.mark.parametrize('lacks', [0, 1])
def test_a_tokenizer_of_another_size_is_refused(monkeypatch, lacks):
    monkeypatch.setattr(Words, 'lacks', lacks)
    read = types.SimpleNamespace(from_pretrained=lambda folder, local_files_only: Words())
    monkeypatch.setitem(sys.modules, 'transformers', types.SimpleNamespace(AutoTokenizer=read))
    if not lacks:
        assert len(own_tokens.tokenizer('/here', 155_697)) == 155_697
        return
    with pytest.raises(ValueError, match='in /here has 155,696 words .* expected 155,697'):
        own_tokens.tokenizer('/here', 155_697)


def test_the_vendors_process_answers_with_them(engine):
    """Through its socket and shared memory, offline; the same numbers as in this process."""
    folder = str(Path(own_double.__file__).parent)
    asked = replace(SETTINGS, engine='own_double:load', source=(folder,))
    process = VendorProcess.start(sys.executable, asked, PATIENCE_S)
    assert isinstance(process, VendorProcess), process
    told, plans = planned(engine, images(0), TURN)
    try:
        assert process.version.startswith('own networks, torch ')
        for name, values in (('images', images(0)), ('poses', poses()), ('noise', NOISE)):
            process.arrays.write(name, values)
        assert process.ask('encode', PATIENCE_S) == {'new': 4}
        how = {'speed_mps': 8.0, 'instruction': TURN, 'seed': 0}
        assert process.ask('reason', PATIENCE_S, **how) == told
        process.ask('denoise', PATIENCE_S)
        assert np.abs(process.arrays.read('candidates') - plans).max() <= CLOSE
    finally:
        process.close()


def test_the_process_needs_no_package_of_ours():
    program = 'import sys, alpamayo_ros.runtime.nvidia.child.own; print(*sys.modules)'
    loaded = subprocess.check_output([sys.executable, '-c', program], text=True, timeout=300)
    assert not {'pydantic', 'jaxtyping', 'cv2', 'rclpy', 'transformers'} & set(loaded.split())
