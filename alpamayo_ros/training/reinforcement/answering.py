"""A model's answers to given states: its likeliest words, and plans of the run-time sampler."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.reinforcement.rollout import Batch, asked, seen_of
from alpamayo_ros.training.reinforcement.speech import Seen, hidden_states, say
from alpamayo_ros.training.reinforcement.word_table import PAD, WordTable


@dataclass(frozen=True, slots=True)
class Answering:
    """Asks any model the same: the noise follows from the number of the question."""

    table: WordTable
    grammar: Grammar

    @torch.no_grad()
    def answers(
        self, model: VLA, b: Batch, number: int, candidates: int = 1
    ) -> tuple[list[str], Tensor]:
        """A text a state of a batch of ``Ring.gather``, and plans (B, candidates, P, 3)."""
        return self.answers_to(model, seen_of(model, b), number, candidates)

    @torch.no_grad()
    def answers_to(
        self, model: VLA, seen: Seen, number: int, candidates: int = 1
    ) -> tuple[list[str], Tensor]:
        """The same where pictures have been fused already."""
        tokens = say(model, self.table, seen).tokens
        hidden = hidden_states(model, seen, tokens)
        question = asked(model, seen, hidden, tokens)
        generator = torch.Generator().manual_seed(number)
        shape = (len(tokens), candidates, model.profile.trajectory.points, 3)
        noise = torch.randn(shape, generator=generator).to(seen.speed.device)
        return self.texts(tokens), model.denoise(hidden, question.mask, seen.speed, noise)

    def texts(self, tokens: Tensor) -> list[str]:
        """Texts of rows of token ids, padded."""
        return [self.grammar.text([t for t in row if t != PAD]) for row in tokens.tolist()]
