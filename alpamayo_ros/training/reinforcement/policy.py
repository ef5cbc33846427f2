"""The policy that speaks while it drives: the plan is made with its words."""

from __future__ import annotations

import torch
from torch import Tensor

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.policy import BatchPolicy
from alpamayo_ros.training.reinforcement.rollout import asked
from alpamayo_ros.training.reinforcement.speech import Said, Seen, hidden_states, say
from alpamayo_ros.training.reinforcement.word_table import WordTable


class SpeakingPolicy(BatchPolicy):
    """A :class:`BatchPolicy` with words; ``said``: those of the last answers.

    They are the likeliest ones, as at run time, or ``drawn``.
    """

    def __init__(
        self, model: VLA, slots: int, sample_steps: int, table: WordTable, drawn: bool = True
    ) -> None:
        super().__init__(model, slots, sample_steps)
        self._table, self._drawn = table, drawn
        self.said: Said | None = None

    def answer(self, ids: Tensor, real: Tensor, visual: Tensor, speed: Tensor) -> Tensor:
        """Plans (B, P, 3) [m, rad] with words, in float32 as the trainer weighs them."""
        with torch.autocast(speed.device.type, enabled=False):
            seen = Seen(ids, real, visual.float(), speed)
            generator = self.generator if self._drawn else None
            self.said = say(self.model, self._table, seen, generator)
            hidden = hidden_states(self.model, seen, self.said.tokens)
            question = asked(self.model, seen, hidden, self.said.tokens)
            return self._plan(hidden, question.mask, speed)
