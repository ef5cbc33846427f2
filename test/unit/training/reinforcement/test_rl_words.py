"""Words are drawn under the grammar, and their likelihoods are those of the model's logits."""

import pytest
import torch
from stream_toy import Parts

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.reinforcement import word_table
from alpamayo_ros.training.reinforcement.speech import (
    Seen,
    hidden_states,
    of_tokens,
    say,
    spoken,
    word_scores,
)
from alpamayo_ros.training.reinforcement.word_table import WordTable


def greedy(parts: Parts, model: VLA, seen: Seen, row: int) -> list[tuple[int, torch.Tensor]]:
    """Tokens of one state and the logits of the allowed ones, every step computed anew."""
    grammar, found, state = parts.grammar, [], parts.grammar.start
    one = seen.rows(torch.tensor([row]))
    while not grammar.done(state):
        said = torch.tensor([[token for token, _ in found]], dtype=torch.long)
        with torch.no_grad():
            logits = model.backbone.logits(hidden_states(model, one, said)[0, -1])
        allowed = list(grammar.allowed(state))
        token = allowed[int(logits[allowed].argmax())]
        found.append((token, logits[allowed].log_softmax(0)))
        state = grammar.advance(state, token)
    return found


def test_the_likeliest_words_are_those_of_greedy_decoding(
    parts: Parts, model: VLA, table: WordTable, seen: Seen
) -> None:
    model.eval()
    said = say(model, table, seen)
    assert len(set(map(tuple, said.tokens.tolist()))) > 1
    for row in range(2):
        plain = greedy(parts, model, seen, row)
        length = len(plain)
        assert said.tokens[row, :length].tolist() == [token for token, _ in plain]
        assert not said.tokens[row, length:].any() and not said.likelihood[row, length:].any()
        wanted = torch.stack([scores.max() for _, scores in plain])
        assert torch.allclose(said.likelihood[row, :length], wanted, atol=1e-5)


def test_likelihoods_sum_to_one_and_stay_when_words_are_forced(
    parts: Parts, model: VLA, table: WordTable, seen: Seen
) -> None:
    said = say(model.eval(), table, seen.repeat(3), torch.Generator().manual_seed(3))
    assert len(set(map(tuple, said.tokens.tolist()))) == 9
    for row in said.tokens.tolist():
        assert parts.grammar.parse(parts.grammar.text([t for t in row if t])) is not None
    scores = word_scores(
        model, table, hidden_states(model, seen.repeat(3), said.tokens), said.tokens
    )
    assert torch.allclose(scores.exp().sum(-1), torch.ones(9, scores.shape[1]), atol=1e-5)
    forced = of_tokens(scores, said.tokens)
    assert torch.allclose(forced, said.likelihood, atol=1e-4) and bool((forced < -0.5).any())
    assert bool((forced[spoken(said.tokens) == 0] == 0).all())


def test_the_table_is_the_grammar(parts: Parts, table: WordTable) -> None:
    text = parts.grammar.encode({s.name: s.phrases[-1] for _, s in parts.grammar.spec.slots()})
    states, state = table.states(torch.tensor([[*text, 0, 0]]))[0], parts.grammar.start
    for place, token in zip(states, text, strict=False):
        assert table.allowed[place].nonzero()[:, 0].tolist() == list(parts.grammar.allowed(state))
        assert bool(table.free[place]) == (len(parts.grammar.allowed(state)) > 1)
        state = parts.grammar.advance(state, token)
    assert states[-2:].tolist() == [table.over] * 2 and not table.free[table.over]


def test_a_grammar_that_is_too_large_is_refused_in_a_sentence(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_table, 'MOST_STATES', 5)
    with pytest.raises(ConfigError, match='over 5 states'):
        WordTable(parts.grammar, parts.profile.text.vocab_size, torch.device('cpu'))


def test_a_token_that_the_grammar_refuses_has_no_likelihood(table: WordTable) -> None:
    scores = table.log_probabilities(torch.zeros(1, table.allowed.shape[1]), torch.tensor([0]))
    assert int(scores.isfinite().sum()) == int(table.allowed[0].sum())
    assert float(scores.exp().sum()) == pytest.approx(1.0)
