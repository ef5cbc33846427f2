"""The trainer of the reinforcement stage: roll-outs, steps, publications that pass the exam.

Backbone and denoiser learn, vision and fusion stay.  ``losses`` of the recipe go on teaching what
the expert says and does, on a batch of their own a step.
"""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import Tensor, nn

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.budget import Average
from alpamayo_ros.training.checkpoint import load_weights, save_weights
from alpamayo_ros.training.reinforcement.exam import Exam, Marks
from alpamayo_ros.training.reinforcement.judges import Judges
from alpamayo_ros.training.reinforcement.objective import Losses, Policies
from alpamayo_ros.training.reinforcement.rollout import Roller, Rollout
from alpamayo_ros.training.reinforcement.word_table import WordTable
from alpamayo_ros.training.stream.clock import Clock
from alpamayo_ros.training.stream.publish import averaged, publish
from alpamayo_ros.training.stream.ring import Ring
from alpamayo_ros.training.stream.trainer import Trainer

REFERENCE = 'supervised.safetensors'
QUICKER = 10.0  # times the policy's rate: judges begin from nothing
STRICTER = 2.0  # how much more the distance counts after a publication that was refused
SEED = 8191  # of what is drawn; ranks and calls add to it


class ReinforcementTrainer(Trainer):
    """A :class:`Trainer` that goes up the worth of drawn answers."""

    figures_every = 1

    def __init__(self, start: Start) -> None:
        if start.settings.rl is None:
            raise ValueError('stage: rl needs the part rl of a recipe: take rl or rl_toy')
        self._rl, self._grammar = start.settings.rl, start.grammar
        model, together, root = start.model, start.together, start.root
        self._judges = Judges(model, model.profile.text.max_coc).to(together.device)
        super().__init__(start)
        self._table = WordTable(start.grammar, model.profile.text.vocab_size, together.device)
        self._reference = copy.deepcopy(model).eval().requires_grad_(False)
        self._accepted = copy.deepcopy(self._reference)
        if together.leads and not (root / 'counters.json').is_file():
            save_weights(root / REFERENCE, self._reference)
        generator = torch.Generator(together.device).manual_seed(SEED + together.rank)
        self._roller = Roller(
            model, self._reference, self._table, self._judges, self._rl, generator
        )
        self._policies = Policies(model, self._table, self._judges, self._roller.steps, self._rl)
        self._waiting: list[Rollout] = []
        self._exam: Exam | None = None
        self._bar, self._last = Marks(0.0, 0.0, 0.0), Marks(0.0, 0.0, 0.0)
        self.strictness, self.refused, self._failed = 1.0, 0, False

    def _companions(self) -> dict[str, nn.Module]:
        return {'judges': self._judges}

    def _choose_learners(self) -> None:
        self.model.requires_grad_(False)
        self.model.backbone.requires_grad_(True)
        self.model.denoiser.requires_grad_(bool(self._rl.plan or self._settings.losses.plan))

    def _rated(self) -> list[tuple[list[nn.Parameter], float]]:
        judges = list(self._judges.parameters())
        theirs = {id(p) for p in judges}
        return [(judges, QUICKER), ([p for p in self._parameters if id(p) not in theirs], 1.0)]

    # -- going on ---------------------------------------------------------------------------------
    def restore(self, begin: Path | None = None) -> dict[str, float]:
        """As :meth:`Trainer.restore`; the supervised model is the one the run began with."""
        seen = super().restore(begin)
        if seen:
            load_weights(self._root / REFERENCE, self._reference)
            load_weights(self._root / 'model.safetensors', self._accepted)
            self.strictness, self.refused = seen['strictness'], int(seen['refused'])
        return seen

    def _counters(self) -> dict[str, float]:
        return {**super()._counters(), 'strictness': self.strictness, 'refused': self.refused}

    def begin(self, ring: Ring) -> None:
        """Before the first step: hold the exam's states out and ask the supervised model."""
        self._exam = Exam(ring, self._rl.exam_rows, self._table, self._grammar)
        self._bar = self._last = self._exam.marks(self._reference)

    # -- training ---------------------------------------------------------------------------------
    def descend(self, ring: Ring, clock: Clock, ends: bool) -> bool:
        """As :meth:`Trainer.descend`, from what passed last where rank 0 refused the rest."""
        failed, published = self._together.agree(float(self._failed), self._published)
        self._published = int(published)
        if failed:
            self._go_back()
        return super().descend(ring, clock, ends)

    def _losses(self, ring: Ring) -> tuple[Tensor, Losses]:
        b, policies = ring.draw(self._settings.batch), self._policies
        found = policies.judged(b)
        driven = ring.draw_said(self._rl.driven, self._published - self._rl.fresh + 1)
        if driven is not None:
            found |= policies.driven(driven)
        if self.step <= self._rl.judges_first:
            return policies.total(found, self.strictness, False), found
        answers, figures = self._next(ring)
        found |= policies.answered(answers)
        taught = self._objective.losses(b, False)
        loss = policies.total(found, self.strictness, True) + self._objective.total(taught)
        return loss, found | figures | {f'expert_{k}': v for k, v in taught.items()}

    def _next(self, ring: Ring) -> tuple[Rollout, Losses]:
        """The next part of the roll-out in hand, or of a new one with its figures."""
        figures: Losses = {}
        if not self._waiting:
            whole, figures = self._roller.roll(ring.draw(self._rl.states))
            for _ in range(self._rl.epochs):
                order = torch.randperm(len(whole.advantage), device=self._together.device)
                self._waiting += [whole.rows(part) for part in order.chunk(self._rl.parts)]
        return self._waiting.pop(0), figures

    # -- what leaves ------------------------------------------------------------------------------
    def publish(self, ring: Ring) -> VLA:
        """Publish the averaged weights where they pass; else what passed last is returned.

        Words may not be less true than the supervised model's.  After a refusal the next step
        begins there, and the distance to the supervised model counts more, until one passes.  A
        run that ends before :meth:`begin` could ask publishes nothing.
        """
        if self._exam is None:
            return copy.deepcopy(self._accepted)
        s = self._settings
        twin = averaged(self.model, self._average, ring, s.norm_batches, s.batch)
        if not self._together.leads:
            return twin
        self._last = self._exam.marks(twin)
        if self._last.less_true_than(self._bar):
            self.refused, self._failed = self.refused + 1, True
            return copy.deepcopy(self._accepted)
        self.strictness = max(self.strictness / STRICTER, 1.0)
        self._accepted.load_state_dict(twin.state_dict())
        self._published += 1
        publish(twin, self._root, self._published, False)
        return twin

    def _go_back(self) -> None:
        """On all ranks: the weights that passed last, and nothing that led away from them."""
        self.strictness, self._failed = self.strictness * STRICTER, False
        self.model.load_state_dict(self._accepted.state_dict())
        self._together.same_start(self._all)
        self._average, self._waiting = Average(self.model), []
        self._optimiser.state.clear()

    def figures(self) -> dict[str, float]:
        """Means since the last call; after an exam, the newest and the supervised model's."""
        asked = self._exam is not None
        marks = self._last.named() | self._bar.named('_supervised') if asked else {}
        return super().figures() | marks | {
            'refused': self.refused,
            'strictness': self.strictness,
        }  # fmt: skip
