"""A roll-out: several answers to every state, each a text and a plan, with what it is worth."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.simulation.sim_rig import sim_vehicle
from alpamayo_ros.training.reinforcement.ddpo import Asked, Steps, Walk
from alpamayo_ros.training.reinforcement.judges import Judges
from alpamayo_ros.training.reinforcement.ppo import advantages
from alpamayo_ros.training.reinforcement.rewards import (
    collides,
    displacement,
    objects_of,
    trajectory_reward,
)
from alpamayo_ros.training.reinforcement.settings import Reinforcement
from alpamayo_ros.training.reinforcement.speech import (
    Said,
    Seen,
    hidden_states,
    say,
    spoken,
    word_scores,
)
from alpamayo_ros.training.reinforcement.word_table import WordTable

Batch = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Rollout:
    """Answers in rows, those to one state together; ``advantage`` (B,).

    ``reference_scores`` (B, L, V) and ``reference_means`` (B, K, P, 3): what the supervised
    model says to the same texts and walks.
    """

    seen: Seen
    said: Said
    walk: Walk
    advantage: Tensor
    reference_scores: Tensor
    reference_means: Tensor

    def rows(self, index: Tensor) -> Rollout:
        """Some of the answers."""
        return Rollout(
            self.seen.rows(index),
            Said(*(part[index] for part in self.said)),
            Walk(*(part[index] for part in self.walk)),
            self.advantage[index],
            self.reference_scores[index],
            self.reference_means[index],
        )


def asked(model: VLA, seen: Seen, hidden: Tensor, tokens: Tensor) -> Asked:
    """What the denoiser is asked: it sees the words, and teaches the backbone nothing."""
    mask = model.denoiser_mask(seen.real, spoken(tokens))
    return Asked(hidden.detach(), mask, seen.speed)


@torch.no_grad()
def seen_of(model: VLA, b: Batch) -> Seen:
    """The states of a batch of ``Ring.draw`` with frozen views; nothing is lost."""
    shape = (*b['past'].shape, len(model.profile.views))
    valid, age_s = (b[name][..., None].expand(shape) for name in ('past', 'age_s'))
    tokens = b['tokens'].float()
    crossed = model.cross(tokens.flatten(0, 1), valid.flatten(0, 1)).reshape(tokens.shape)
    return Seen(b['prefix'], b['prefix_valid'], model.fuse(crossed, age_s, valid), b['speed'])


class Roller:
    """Draws roll-outs of ``model``; ``reference``: the supervised model, which stays."""

    def __init__(
        self,
        model: VLA,
        reference: VLA,
        table: WordTable,
        judges: Judges,
        settings: Reinforcement,
        generator: torch.Generator,
    ) -> None:
        self.steps = Steps(model, settings.steps)
        self._model, self._reference, self._table = model, reference, table
        self._judges, self._settings, self._generator = judges, settings, generator

    @torch.no_grad()
    def roll(self, b: Batch) -> tuple[Rollout, dict[str, Tensor]]:
        """Answers to a batch of states, and the means of what they were worth."""
        group = self._settings.group
        seen = seen_of(self._model, b).repeat(group)
        said = say(self._model, self._table, seen, self._generator)
        hidden = hidden_states(self._model, seen, said.tokens)
        question = asked(self._model, seen, hidden, said.tokens)
        walk = self.steps.walk(question, self._generator)
        worth, figures = self._worth(b, seen, said, walk)
        theirs = hidden_states(self._reference, seen, said.tokens)
        scores = word_scores(self._reference, self._table, theirs, said.tokens)
        question = asked(self._reference, seen, theirs, said.tokens)
        means = self.steps.means(question, walk.points, self._reference)
        advantage = advantages(worth.reshape(-1, group)).flatten()
        return Rollout(seen, said, walk, advantage, scores, means), figures

    def _worth(
        self, b: Batch, seen: Seen, said: Said, walk: Walk
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """(B,) rewards of answers, and figures."""
        weights, form = self._settings.rewards, self._model.profile.trajectory
        group = self._settings.group
        plan, expert = self.steps.metres(walk, seen.speed), b['plan'].repeat_interleave(group, 0)
        objects = objects_of(b['dense']).repeat_interleave(group, 0)
        scene = (objects, sim_vehicle(), form.dt_s, weights.collision_s)
        contact = collides(plan, *scene) & ~collides(expert, *scene)
        off_m = displacement(plan, expert)
        fit = self._judges.agreement(said.tokens, walk.points[:, -1], seen.speed).sigmoid()
        reward = trajectory_reward(off_m, contact, weights) + weights.agreement * fit
        found = {'reward': reward, 'off_m': off_m, 'contact': contact.float(), 'fit': fit}
        return reward, {name: value.mean() for name, value in found.items()}
