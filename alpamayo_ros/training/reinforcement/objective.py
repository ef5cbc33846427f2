"""What a reinforcement step minimises: both policies' clipped losses, distances, the judges."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.reinforcement.ddpo import Steps
from alpamayo_ros.training.reinforcement.judges import Judges, discriminator_loss
from alpamayo_ros.training.reinforcement.ppo import categorical_kl, clipped, outside, weighted
from alpamayo_ros.training.reinforcement.rollout import Batch, Rollout, asked, seen_of
from alpamayo_ros.training.reinforcement.settings import Reinforcement
from alpamayo_ros.training.reinforcement.speech import (
    hidden_states,
    of_tokens,
    spoken,
    word_scores,
)
from alpamayo_ros.training.reinforcement.word_table import WordTable

Losses = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Policies:
    """The losses of the words' and the plan's policy of ``model``."""

    model: VLA
    table: WordTable
    judges: Judges
    steps: Steps
    settings: Reinforcement

    def answered(self, r: Rollout) -> Losses:
        """Losses of answers of a roll-out; the plan's are absent where ``plan`` is 0."""
        s, tokens = self.settings, r.said.tokens
        hidden = hidden_states(self.model, r.seen, tokens)
        scores = word_scores(self.model, self.table, hidden, tokens)
        chosen = self.chosen(tokens)
        now, worth = of_tokens(scores, tokens), r.advantage[:, None].expand_as(chosen)
        found = {
            'words': clipped(now, r.said.likelihood, worth, s.clip_words, chosen),
            'kl_words': weighted(categorical_kl(scores, r.reference_scores), chosen),
            'clipped_words': outside(now, r.said.likelihood, s.clip_words, chosen).detach(),
        }
        return found | (self._walked(r, hidden) if s.plan else {})

    def _walked(self, r: Rollout, hidden: Tensor) -> Losses:
        """The plan's losses.  A ratio is that of one number: of all, any step would be clipped."""
        s, points = self.settings, r.walk.points
        numbers = points[0, 0].numel()
        means = self.steps.means(asked(self.model, r.seen, hidden, r.said.tokens), points)
        now, before = self.steps.likelihood(points, means) / numbers, r.walk.likelihood / numbers
        worth, weights = r.advantage[:, None].expand_as(now), self.steps.weights.expand_as(now)
        return {
            'walk': clipped(now, before, worth, s.clip_plan, weights),
            'kl_plan': self.steps.distance(means, r.reference_means).mean() / numbers,
            'clipped_plan': outside(now, before, s.clip_plan).detach(),
        }

    def chosen(self, tokens: Tensor) -> Tensor:
        """(B, L) 1 where the grammar left a choice."""
        return self.table.free[self.table.states(tokens)].float() * spoken(tokens)

    def driven(self, b: Batch) -> Losses:
        """Losses of words that were said in drives with a known end, and of the critic."""
        s, tokens, seen = self.settings, b['said'], seen_of(self.model, b)
        hidden = hidden_states(self.model, seen, tokens)
        now = of_tokens(word_scores(self.model, self.table, hidden, tokens), tokens)
        expected = self.judges.score(hidden[:, -tokens.shape[1] - 1].detach())
        better = (b['outcome'] - expected.detach())[:, None].expand_as(now)
        chosen = self.chosen(tokens)
        return {
            'driven': clipped(now, b['said_likelihood'], better, s.clip_words, chosen),
            'critic': F.mse_loss(expected, b['outcome']),
            'outcome': b['outcome'].mean(),
        }

    def judged(self, b: Batch) -> Losses:
        """The discriminator's loss on the expert's words and plans."""
        plan = self.model.denoiser.normalise(b['plan'], b['speed'])
        loss, right = discriminator_loss(self.judges.agreement, b['coc'], plan, b['speed'])
        return {'judge': loss, 'judge_right': right.detach()}

    def total(self, found: Losses, strictness: float, learns: bool) -> Tensor:
        """Weighted sum; ``strictness`` multiplies both distances, ``learns``: not judges alone."""
        s = self.settings
        weights = {'judge': 1.0, 'critic': 1.0}
        if learns:
            weights |= {'words': s.words, 'walk': s.plan, 'driven': s.words * s.rewards.score}
            weights |= {'kl_words': strictness * s.kl_words, 'kl_plan': strictness * s.kl_plan}
        terms = [w * found[name] for name, w in weights.items() if name in found]
        return torch.stack(terms).sum()
