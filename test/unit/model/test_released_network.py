"""Our networks of Alpamayo 1.5: the released shapes, and on tiny numbers the vendor's results.

``golden.json`` is what NVIDIA's own class (transformers 4.57.1, float32) made of the numbers of
``support/released_networks/toy.py``; ``test/parity/test_released_vendor.py`` makes it again.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
import torch
from support.released_networks import toy

from alpamayo_ros.model.released.cycle import Cycle, guided
from alpamayo_ros.model.released.network import Network
from alpamayo_ros.model.released.sizes import TINY, sizes
from alpamayo_ros.model.released.tensors import tensors
from alpamayo_ros.model.released.tower import patches
from alpamayo_ros.model.released.unicycle import points
from alpamayo_ros.model.released.weights import by_name, load, shards
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.nvidia.child import pictures as child

GOLDEN = Path(__file__).parents[2] / 'support/released_networks/golden.json'
CLOSE = 1e-4  # m, rad


@cache
def golden(case):
    return json.loads(GOLDEN.read_text())[case]


@cache
def cycle(case):
    torch.set_num_threads(1)
    with torch.device('meta'):
        network = Network(TINY)
    network.to_empty(device='cpu')
    ends = golden(case).get('ends_after')
    load(
        network,
        (
            (name, torch.from_numpy(toy.weight(name, tuple(view.shape), ends)))
            for name, view in by_name(network).items()
        ),
    )
    return Cycle(network, toy.CANDIDATES, len(toy.prompt()))


def reasoned(case, draft=()):
    made = cycle(case)
    shown = made.encode(torch.from_numpy(toy.pictures()), range(toy.PICTURES))
    return made.reason(torch.tensor(toy.prompt()), shown, draft)


def test_names_and_shapes_are_those_of_the_checkpoint():
    profile = load_profile('nvidia-1.5-10b')
    with torch.device('meta'):
        network = Network(sizes(profile))
    assert {n: tuple(v.shape) for n, v in by_name(network).items()} == tensors(profile)
    assert sum(p.numel() for p in network.parameters()) == 11_078_526_194


@pytest.mark.parametrize('case', ['cut', 'ended'])
def test_words_and_candidates_are_the_vendors(case):
    found, expected = reasoned(case), golden(case)
    assert found.words.complete == (case == 'ended')
    count = len(found.words.tokens)
    assert list(found.words.tokens) == expected['words'][:count]
    actions = cycle(case).denoise(found, torch.from_numpy(toy.noise()))
    far = points(actions, expected['speed_mps']) - torch.tensor(expected['points'])
    assert far.abs().max() <= CLOSE


@pytest.mark.parametrize('case', ['cut', 'ended'])
def test_a_draft_saves_passes_and_changes_no_word(case):
    plain = reasoned(case).words
    half = len(plain.tokens) // 2
    drafts = [plain.tokens, (7, *plain.tokens[:half]), plain.tokens[:half] + (7,) * 9]
    for draft in drafts:
        found = reasoned(case, draft).words
        assert found.tokens == plain.tokens and found.visible == plain.visible
        assert found.passes < plain.passes
    noise = torch.from_numpy(toy.noise())
    drafted, free = (cycle(case).denoise(reasoned(case, d), noise) for d in (plain.tokens, ()))
    assert (drafted - free).abs().max() <= CLOSE


def test_a_candidate_does_not_see_the_others():
    made, noise = cycle('cut'), torch.from_numpy(toy.noise())
    found = reasoned('cut')
    other = noise.clone()
    other[1:] += 1
    first, second = made.denoise(found, noise), made.denoise(found, other)
    assert (first[0] - second[0]).abs().max() <= 1e-5
    assert (first[1] - second[1]).abs().max() > 0.1


def test_only_new_pictures_go_through_the_tower(monkeypatch):
    made, seen = cycle('cut'), []
    tower = made.tower
    monkeypatch.setattr(made, 'tower', lambda rows: seen.append(len(rows)) or tower(rows))
    shown = torch.from_numpy(toy.pictures())
    made.encode(shown, 'abc')
    kept = made.encode(shown.roll(-1, 0), 'bcd')
    fresh = made.encode(shown.roll(-1, 0), 'xyz')
    assert seen == [3, 1, 3]
    assert all((a - b).abs().max() <= 1e-5 for a, b in zip(kept, fresh, strict=True))


def test_equal_pictures_stand_in_all_their_places():
    made = cycle('cut')
    shown = torch.from_numpy(toy.pictures())
    once = made.encode(shown, 'abc')
    twice = made.encode(shown[[0, 0, 2]], 'aac')
    width = toy.ROWS * toy.COLUMNS
    for new, old in zip(twice, once, strict=True):
        assert torch.equal(new[width : 2 * width], old[:width]) and len(new) == len(old)


@pytest.mark.parametrize('case', ['cut', 'ended'])
def test_known_words_behind_a_prompt_are_those_that_were_told(case):
    """Of a text that ended all words are seen, of one that was cut the last one too."""
    made, found = cycle(case), reasoned(case)
    free = Cycle(made.network, toy.CANDIDATES, len(toy.prompt()))
    shown = made.encode(torch.from_numpy(toy.pictures()), range(toy.PICTURES))
    again = free.repeat(torch.tensor(toy.prompt()), shown, found.words)
    assert again.words.visible - found.words.visible == (case == 'cut')
    assert (again.prompt, again.shift) == (found.prompt, found.shift)
    noise = torch.from_numpy(toy.noise())
    told = made.denoise(found, noise)
    far = (free.denoise(again, noise) - told).abs().max()
    assert far <= CLOSE if case == 'ended' else far > CLOSE
    none = made.denoise(found, noise, guided(made.field(found), free.field(again), 1.0))
    whole = made.denoise(found, noise, guided(made.field(found), free.field(again), 0.0))
    assert (none - told).abs().max() <= CLOSE
    assert (whole - free.denoise(again, noise)).abs().max() <= CLOSE


def test_patches_are_those_of_the_vendors_process():
    shown = toy.pictures()
    expected = torch.from_numpy(child.patches(shown)).reshape(toy.PICTURES, -1, 1536)
    assert torch.equal(patches(torch.from_numpy(shown)), expected)
    with pytest.raises(ValueError, match='multiples of 32, not 128 x 90'):
        patches(torch.zeros(1, 90, 128, 3, dtype=torch.uint8))


def test_what_does_not_fit_is_said():
    made = cycle('cut')
    shown = made.encode(torch.from_numpy(toy.pictures()), range(toy.PICTURES))
    with pytest.raises(ValueError, match='has 300 tokens, the cache has room for'):
        made.reason(torch.ones(300, dtype=torch.long), shown)
    with pytest.raises(ValueError, match='has 0 tokens of pictures, the pictures have 36'):
        made.reason(torch.ones(10, dtype=torch.long), shown)
    with pytest.raises(ValueError, match=r'shape \(2, 64, 2\), expected \(3, 64, 2\)'):
        made.denoise(reasoned('cut'), torch.zeros(2, 64, 2))
    with pytest.raises(ValueError, match='nano is no released model'):
        sizes(load_profile('nano'))


def test_a_wrong_checkpoint_is_named(tmp_path):
    with torch.device('meta'):
        network = Network(TINY)
    good = list(by_name(network).items())
    bad = [('extra', torch.zeros(1)), (good[0][0], torch.zeros(1)), *good[2:]]
    with pytest.raises(
        ValueError, match=f'extra is unknown; {good[0][0]} has .*; {good[1][0]} is'
    ):
        load(network, bad)
    with pytest.raises(ValueError, match=r'no \*.safetensors in'):
        list(shards(tmp_path))
