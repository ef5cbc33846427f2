"""The policy that speaks while it drives: the plan is made with its words."""

from __future__ import annotations

import torch
from torch import Tensor

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.policy import BatchPolicy
from alpamayo_ros.training.reinforcement.drafted import say_drafted
from alpamayo_ros.training.reinforcement.rollout import asked
from alpamayo_ros.training.reinforcement.speech import Said, Seen, hidden_states, say
from alpamayo_ros.training.reinforcement.word_table import WordTable

FEW = 4  # states; up to so many are decoded one by one, each from a draft


class SpeakingPolicy(BatchPolicy):
    """A :class:`BatchPolicy` with words; ``said``: those of the last answers.

    They are the likeliest ones, as at run time, or ``drawn``.
    """

    def __init__(
        self, model: VLA, slots: int, sample_steps: int, table: WordTable, drawn: bool = True
    ) -> None:
        super().__init__(model, slots, sample_steps)
        self._table, self._drawn = table, drawn
        self._before = [''] * slots
        self.said: Said | None = None

    def answer(self, ids: Tensor, real: Tensor, visual: Tensor, speed: Tensor) -> Tensor:
        """Plans (B, P, 3) [m, rad] with words, in float32 as the trainer weighs them."""
        with torch.autocast(speed.device.type, enabled=False):
            seen = Seen(ids, real, visual.float(), speed)
            hidden = self._speak(seen)
            assert self.said is not None
            question = asked(self.model, seen, hidden, self.said.tokens)
            return self._plan(hidden, question.mask, speed)

    def _speak(self, seen: Seen) -> Tensor:
        """Hidden states with what is ``said``."""
        if self._drawn or len(self.who) > FEW:
            generator = self.generator if self._drawn else None
            self.said = say(self.model, self._table, seen, generator)
            return hidden_states(self.model, seen, self.said.tokens)
        before = [self._before[slot] for slot in self.who]
        tokens, hidden = say_drafted(self.model, self._table, seen, before)
        for slot, ids in zip(self.who, tokens.tolist(), strict=True):
            self._before[slot] = self._table.grammar.text([k for k in ids if k])
        self.said = Said(tokens, torch.zeros_like(tokens, dtype=torch.float32))
        return hidden
