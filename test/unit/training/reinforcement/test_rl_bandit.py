"""A bandit over two intents: the rewarded one is said more and more."""

import copy

import torch
from stream_toy import Parts

from alpamayo_ros.model.grammar import Grammar, GrammarSpec
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.reinforcement.ppo import advantages, categorical_kl, clipped
from alpamayo_ros.training.reinforcement.speech import (
    Seen,
    hidden_states,
    of_tokens,
    say,
    word_scores,
)
from alpamayo_ros.training.reinforcement.word_table import WordTable

INTENTS = ('stop', 'wait')
GROUP, STEPS = 16, 30


def test_the_rewarded_intent_is_said_more_often(parts: Parts, model: VLA, seen: Seen) -> None:
    slot = {'name': 'speed', 'phrases': INTENTS}
    spec = GrammarSpec.model_validate(
        {'version': 1, 'parts': [{'name': 'intent', 'slots': [slot]}]}
    )
    grammar = Grammar(spec, parts.grammar.tokenizer)
    table = WordTable(grammar, parts.profile.text.vocab_size, torch.device('cpu'))
    model.requires_grad_(False)
    model.backbone.requires_grad_(True)
    wanted = torch.tensor(grammar.encode({'speed': 'wait'}))
    reference = copy.deepcopy(model)

    def share() -> float:
        with torch.no_grad():
            text = wanted.expand(len(seen.speed), -1)
            scores = word_scores(model, table, hidden_states(model, seen, text), text)
            return float(of_tokens(scores, text).sum(1).exp().mean())

    before, generator = share(), torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(model.backbone.parameters(), 1e-3)
    many = seen.repeat(GROUP)
    for _ in range(STEPS):
        said = say(model, table, many, generator)
        reward = (said.tokens[:, 1] == wanted[1]).float()
        worth = advantages(reward.reshape(-1, GROUP)).reshape(-1, 1).expand_as(said.likelihood)
        hidden = hidden_states(model, many, said.tokens)
        scores = word_scores(model, table, hidden, said.tokens)
        chosen = table.free[table.states(said.tokens)].float()
        loss = clipped(of_tokens(scores, said.tokens), said.likelihood, worth, 0.2, chosen)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert 0.4 < before < 0.6 and share() > 0.8, (before, share())
    with torch.no_grad():
        text = wanted.expand(len(seen.speed), -1)
        now, then = (
            word_scores(m, table, hidden_states(m, seen, text), text) for m in (model, reference)
        )
    assert categorical_kl(now, then)[:, 1].min() > 0.05
