"""Words under a grammar on the device: its tables, and that they wait for nobody."""

from __future__ import annotations

import random

import pytest

torch = pytest.importorskip('torch', reason='the training extra (torch) is not installed')

from support.fast.host_graph import HostGraph  # noqa: E402

from alpamayo_ros.model.fast.cycle import Cycle, Passes  # noqa: E402
from alpamayo_ros.model.fast.made_up import MadeUpDrive, drawn  # noqa: E402
from alpamayo_ros.model.fast.ruled_words import RuledWords  # noqa: E402
from alpamayo_ros.model.fast.rules import Rules  # noqa: E402
from alpamayo_ros.model.grammar import Grammar  # noqa: E402
from alpamayo_ros.model.tiny import tiny  # noqa: E402
from alpamayo_ros.profile import ModelProfile, load_profile  # noqa: E402
from alpamayo_ros.runtime.decode import Draft, choose  # noqa: E402
from alpamayo_ros.training.vocabulary import build_vocabulary  # noqa: E402

PROFILE: ModelProfile = tiny(load_profile('alpamayo-1.5-10b'), sample_steps=2)
WALKS, WIDTH = 50, 9


@pytest.fixture(scope='module')
def grammar() -> Grammar:
    torch.set_num_threads(1)
    return build_vocabulary(PROFILE)


@pytest.fixture(scope='module')
def rules(grammar: Grammar) -> Rules:
    return Rules.of(grammar, 'cpu')


def test_tables_allow_what_the_grammar_allows(grammar: Grammar, rules: Rules) -> None:
    """Along random texts to their end, which leads to itself."""
    draw = random.Random(0)
    for _ in range(WALKS):
        state, number = grammar.start, 0
        while not grammar.done(state):
            allowed = grammar.allowed(state)
            assert tuple(rules.tokens[rules.allowed[number] == 0].tolist()) == allowed
            token = draw.choice(allowed)
            number = int(rules.after[number, rules.column[token]])
            state = grammar.advance(state, token)
        assert number == rules.end
    assert int((rules.allowed[rules.end] == 0).sum()) == 1
    assert (rules.after[rules.end] == rules.end).all()


def test_a_guess_is_the_only_word_or_the_one_of_before(grammar: Grammar, rules: Rules) -> None:
    draw, state, ids = random.Random(1), grammar.start, list[int]()
    while not grammar.done(state):
        ids.append(draw.choice(grammar.allowed(state)))
        state = grammar.advance(state, ids[-1])
    guesses = rules.guesses(Draft(grammar, grammar.text(ids)).guess)
    number, said = 0, list[int]()
    while number != rules.end:
        column = int(guesses[number])
        said.append(int(rules.tokens[column]))
        number = int(rules.after[number, column])
    assert grammar.text(said) == grammar.text(ids)
    for number in range(rules.states):
        assert rules.allowed[number, rules.guesses(lambda state: None)[number]] == 0


@torch.no_grad()
def test_words_of_a_pass_are_recorded_whole(grammar: Grammar, rules: Rules) -> None:
    """Replayed without its Python, a pass goes on where the one before ended, to the end."""
    model = drawn(PROFILE, 'cpu', torch.float32)
    cycle = Cycle(model, PROFILE.text.max_coc, [Passes(WIDTH, 1)], rules=rules)
    words = cycle.words
    assert isinstance(words, RuledWords)
    MadeUpDrive(cycle).next()
    cycle.host.guess.copy_(rules.guesses(lambda state: None))
    cycle.given.copy_(cycle.host)
    for stage in (cycle.encode, cycle.prefill, cycle.begin):
        stage()
    with HostGraph() as graph:
        cycle.drafted[0]()
    counts = [int(words.count)]
    while int(words.state) != rules.end:
        graph.replay()
        counts.append(int(words.count))
    assert counts == sorted(set(counts)) and counts[-1] <= PROFILE.text.max_coc
    ids = words.ids[: counts[-1]].tolist()
    graph.replay()
    assert int(words.count) == counts[-1], 'nothing follows the end'
    state, hidden = grammar.start, cycle.scene.hidden[cycle.places.coc :]
    for place, token in enumerate(ids):
        if place and len(grammar.allowed(state)) > 1:
            scores = cycle.language.scores(hidden[place - 1 : place], cycle.language.head(
                torch.arange(PROFILE.text.vocab_size)
            ))  # fmt: skip
            assert choose(scores[0].numpy(), grammar.allowed(state))[0] == token
        state = grammar.advance(state, token)
    assert grammar.done(state)
