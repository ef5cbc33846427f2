"""Version 2 of the chain of causation: facts to words and back, of bounded length."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros import metrics
from alpamayo_ros.model.grammar import Grammar, GrammarSpec, Slot, values
from alpamayo_ros.profile import ModelProfile, load_profile, share_dir
from alpamayo_ros.runtime.decode import Draft, decode
from alpamayo_ros.runtime.manifest import profile_hash
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.grammar_file import load_spec
from alpamayo_ros.training.vocabulary import build_vocabulary, write_vocabulary

PARTS = ['perception', 'situation', 'rationale', 'intent', 'counterfactual']
OBJECTS = ('first', 'second', 'third')


def profile(**text: object) -> ModelProfile:
    nano = load_profile('nano')
    budget = {'vocab_size': 896, 'max_prefix': 64, 'max_coc': 72, 'grammar': 'phrases_v2', **text}
    return ModelProfile.model_validate(nano.model_dump() | {'text': budget})


@cache
def grammar() -> Grammar:
    return build_vocabulary(profile())


def drawn(seed: int) -> tuple[dict[str, str], dict[str, str]]:
    """Values of every slot, objects first things first, and one wording of each."""
    rng, facts, words = np.random.default_rng(seed), {}, {}
    silent = False
    for _, slot in grammar().spec.slots():
        options = list(slot.values)
        facts[slot.name] = str(rng.choice(options))
        if slot.name in OBJECTS:
            silent = silent or facts[slot.name] == 'none'
        if silent and slot.name.removesuffix('_at') in OBJECTS:
            facts[slot.name] = 'none'
        words[slot.name] = str(rng.choice(slot.wordings(facts[slot.name])))
    return facts, words


@settings(max_examples=300)
@given(st.integers(0, 2**31))
def test_facts_survive_words_and_tokens(seed: int) -> None:
    facts, words = drawn(seed)
    ids = grammar().encode(words)
    text = grammar().text(ids)
    assert values(grammar().spec, text) == facts
    assert grammar().parse(text) == ids
    assert len(ids) <= 72


@settings(max_examples=300)
@given(st.integers(0, 2**31))
def test_every_text_is_a_way_through_the_grammar(seed: int) -> None:
    """A comma may open one of several slots: which one shows at a later token."""
    machine, (_, words) = grammar(), drawn(seed)
    state = machine.start
    for token in machine.encode(words):
        assert token in machine.allowed(state)
        state = machine.advance(state, token)
    assert machine.done(state) and not machine.allowed(state)


def test_every_wording_of_every_slot_is_read_back() -> None:
    for _, slot in grammar().spec.slots():
        for value, wordings in slot.values.items():
            for wording in wordings:
                facts, words = drawn(7)
                if slot.name in ('second', 'third') and value != 'none':
                    facts |= {'first': 'debris', 'first_at': '5 m'}
                    words |= {'first': ', debris', 'first_at': ' at 5 m'}
                if slot.name == 'third' and value != 'none':
                    facts |= {'second': 'debris', 'second_at': '5 m'}
                    words |= {'second': ', debris', 'second_at': ' at 5 m'}
                if slot.name.endswith('_at') or (slot.name in OBJECTS and value == 'none'):
                    continue
                facts[slot.name], words[slot.name] = value, wording
                text = grammar().text(grammar().encode(words))
                assert values(grammar().spec, text) == facts, text


def test_parts_order_and_length() -> None:
    assert [part.name for part in grammar().spec.parts] == PARTS
    assert grammar().spec.version == 2
    assert 48 <= grammar().max_length <= 72


@pytest.mark.parametrize(
    ('value', 'key', 'expected'),
    [
        ('red_light', 'light', {'red'}),
        ('yellow_light', 'light', {'yellow'}),
        ('green_light', 'light', {'green'}),
        ('standing_vehicle', 'lead', {'present', 'standing'}),
        ('braking_vehicle', 'lead', {'present', 'braking'}),
        ('moving_vehicle', 'lead', {'present', 'moving'}),
        ('crossing_pedestrian', 'pedestrian', {'present', 'crossing'}),
        ('waiting_pedestrian', 'pedestrian', {'present'}),
        ('oncoming_vehicle', 'lead', set()),
        ('parked_vehicle', 'lead', set()),
        ('circling_vehicle', 'lead', set()),
    ],
)
def test_the_metrics_read_every_wording(value: str, key: str, expected: set[str]) -> None:
    slots = {slot.name: slot for _, slot in grammar().spec.slots()}
    for wording in slots['first'].wordings(value):
        text = f'perception: straight road{wording} at 10 m\nintent: keep speed'
        assert metrics.coc_facts(text)[key] == expected, wording


def test_every_speed_announces_one_intent() -> None:
    names = {
        'keep': 'keep',
        'slow': 'slow',
        'stop': 'stop',
        'wait': 'wait',
        'speed_up': 'speed_up',
    }
    turns = {'left': 'left', 'right': 'right', 'merge_left': 'lane_change_left'}
    slots = {slot.name: slot for _, slot in grammar().spec.slots()}
    for value, speeds in slots['speed'].values.items():
        for path, ways in slots['path'].values.items():
            for speed in speeds:
                for way in ways:
                    wanted = {names[value]} | ({turns[path]} if path in turns else set())
                    assert metrics.stated_intent(f'intent: {speed}{way}') == wanted


def test_any_model_writes_a_valid_text() -> None:
    rng = np.random.default_rng(3)

    def feed(tokens: tuple[int, ...], start: int) -> np.ndarray:
        del start
        return rng.normal(size=(len(tokens) + 1, 896)).astype(np.float32)

    for _ in range(20):
        done = decode(grammar(), feed, Draft(grammar(), ''), 72)
        assert not done.truncated
        assert values(grammar().spec, grammar().text(done.ids)) is not None


def test_the_grammar_file_of_a_model_reads_back(tmp_path: Path) -> None:
    folder = tmp_path / 'model'
    write_vocabulary(grammar(), folder)
    again = GrammarSpec.model_validate_json((folder / 'grammar.json').read_text())
    assert again == grammar().spec


def test_the_shipped_words_are_those_of_the_profile(tmp_path: Path) -> None:
    nano = load_profile('nano')
    write_vocabulary(build_vocabulary(nano), tmp_path)
    for name in ('grammar.json', 'tokenizer.json'):
        assert (tmp_path / name).read_text() == (share_dir() / 'models/nano' / name).read_text()


def test_the_grammar_is_part_of_the_contract() -> None:
    one = profile()
    other = one.model_copy(update={'text': one.text.model_copy(update={'grammar': 'phrases_v1'})})
    assert profile_hash(one) != profile_hash(other)


def test_too_small_a_budget_is_said() -> None:
    with pytest.raises(ValueError, match=r'max_coc 40 is too small for phrases_v2'):
        build_vocabulary(profile(max_coc=40))


def test_an_unknown_value_and_a_wrong_list_are_said() -> None:
    slot = load_spec('phrases_v2').parts[0].slots[0]
    with pytest.raises(ValueError, match='no value'):
        slot.wordings('uphill')
    with pytest.raises(ValueError, match='no phrase'):
        slot.value('uphill')
    with pytest.raises(ValueError, match='wordings of values'):
        Slot.model_validate({'name': 'a', 'phrases': ['x'], 'values': {'y': ['z']}})


def test_the_counterfactual_is_a_part_and_claims_nothing() -> None:
    said = ('perception: straight road', 'intent: keep speed')
    text = '\n'.join((*said, 'counterfactual: if a vehicle stood ahead, stop'))
    parts = metrics.split(text)
    assert parts[metrics.COUNTERFACTUAL] == 'if a vehicle stood ahead, stop'
    claimed = metrics.coc_facts(text.replace('if a vehicle stood ahead', 'with a red light'))
    assert claimed['light'] == set() and claimed['manoeuvre'] == {'keep'}


def test_a_mistake_in_a_grammar_is_named_with_its_line(tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_text('version: 2\nparts:\n  - name: intent\n    slot: []\n')
    with pytest.raises(ConfigError, match=r"mine\.yaml:4: no key 'slot' in parts\.0; did you"):
        GrammarSpec.from_file(file)
