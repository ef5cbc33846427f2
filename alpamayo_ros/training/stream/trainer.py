"""The trainer: steps down the losses of batches of the ring, averages, publishes, resumes."""

from __future__ import annotations

import math
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from alpamayo_ros.model.prompt import prefix_ids
from alpamayo_ros.training.budget import Average
from alpamayo_ros.training.checkpoint import Resumable, load_weights, save_weights
from alpamayo_ros.training.driver import begin_diffusion, set_scale
from alpamayo_ros.training.stage import MOST_GRADIENT
from alpamayo_ros.training.stream.clock import Clock
from alpamayo_ros.training.stream.dense_loss import Heads
from alpamayo_ros.training.stream.fake_int8 import quantise_stages
from alpamayo_ros.training.stream.losses import Objective
from alpamayo_ros.training.stream.publish import averaged, publish
from alpamayo_ros.training.stream.ring import Ring
from alpamayo_ros.training.stream.settings import HEADS
from alpamayo_ros.training.stream.start import Start

DECAY = 0.03


class Trainer:
    """Model, heads (readers of dense truth), optimiser and average of a run in ``root``.

    The ring is not part of a checkpoint: who goes on collects anew.
    """

    figures_every = 10  # steps: reading a figure waits for the device
    teaches_heads = True

    def __init__(self, start: Start) -> None:
        model, grammar, settings, together = (
            start.model, start.grammar, start.settings, start.together,
        )  # fmt: skip
        self._settings, self._together, self._root = settings, together, start.root
        device, self.from_scratch = together.device, start.from_scratch
        self.regression = start.from_scratch
        self.model = model.to(device)
        if settings.quantise == 'int8':
            quantise_stages(model)
        self.heads = heads = Heads(model).to(device)
        self._all = nn.ModuleDict({'model': model, 'heads': heads, **self._companions()})
        together.same_start(self._all)
        silence = torch.tensor(prefix_ids(grammar.tokenizer, '', '', 4), device=device)
        own_words = settings.own_words
        self._objective = Objective(model, heads, settings.losses, silence, own_words)
        views = model.train().views.train(settings.views == 'trained')
        views.requires_grad_(settings.views != 'frozen')
        if settings.views == 'blocks':
            views.stem.requires_grad_(False)
        self._choose_learners()
        self._parameters = [p for p in self._all.parameters() if p.requires_grad]
        groups = [
            {'params': [p for p in some if (p.dim() > 1) == wide], 'weight_decay': decay,
             'scale': scale}
            for some, scale in self._rated()
            for wide, decay in ((True, DECAY), (False, 0.0))
        ]  # fmt: skip
        self._optimiser = torch.optim.AdamW(groups, 1e-3, betas=(0.9, 0.98), fused=True)
        self._state = Resumable(start.root, self._all, self._optimiser)
        self._average = Average(model)
        self.step = self._published = 0
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def _companions(self) -> dict[str, nn.Module]:
        """What a stage trains and saves beside model and heads."""
        return {}

    def _choose_learners(self) -> None:
        """Where a stage leaves more of the model as it is than frozen views."""

    def _rated(self) -> list[tuple[list[nn.Parameter], float]]:
        """Parameters whose gradients are bounded together, and how much larger their rate is."""
        return [(self._parameters, 1.0)]

    # -- going on ---------------------------------------------------------------------------------
    def restore(self, begin: Path | None = None) -> dict[str, float]:
        """Go on where the run stopped; the counters of its checkpoint, none where it is new.

        A new run's heads are those of the folder ``begin``, where it has any: fresh ones have
        yet to learn what they are to teach the views.
        """
        if begin is not None and (begin / HEADS).is_file():
            load_weights(begin / HEADS, self.heads)
        seen = self._state.restore()
        if seen is None:
            return {}
        self.step, self._published = int(seen['step']), int(seen['published'])
        self.regression, self.from_scratch = bool(seen['regression']), bool(seen['from_scratch'])
        self._average = Average(self.model)
        return seen

    def save(self, used_s: float, samples: int) -> None:
        """A checkpoint."""
        if self._together.leads:
            self._state.save({'used_s': used_s, 'samples': samples, **self._counters()})

    def _counters(self) -> dict[str, float]:
        """What a checkpoint remembers of a trainer."""
        return {
            'step': self.step,
            'published': self._published,
            'regression': self.regression,
            'from_scratch': self.from_scratch,
        }

    # -- training ---------------------------------------------------------------------------------
    def begin(self, ring: Ring) -> None:
        """Before the first step of fresh weights: the scale of the plans in the ring."""
        if self.regression and self.step == 0:
            known = ring.weight > 0
            plans, speeds = ring.rows['plan'][known], ring.rows['speed'][known]
            set_scale(self.model, plans.cpu().numpy(), speeds.cpu().numpy())
            with torch.no_grad():
                self.model.dit.inp.weight.zero_()
            self._together.same_start(self._all)

    def descend(self, ring: Ring, clock: Clock, ends: bool) -> bool:
        """One step; False, on all ranks, where rank 0 ``ends`` instead."""
        began = time.monotonic()
        rate, fraction, over = self._together.agree(
            clock.rate(self.step + 1), clock.fraction, float(ends)
        )
        if over:
            return False
        if self.regression and fraction >= self._settings.diffusion:
            self._leave_regression()
        self.step += 1
        for group in self._optimiser.param_groups:
            group['lr'] = rate * group['scale']
        self._step(ring)
        clock.took('step', time.monotonic() - began)
        return True

    def _step(self, ring: Ring) -> None:
        loss, found = self._losses(ring)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._together.mean_gradients(self._parameters)
        for some, _ in self._rated():
            nn.utils.clip_grad_norm_(some, MOST_GRADIENT)
        if self.regression:
            self.model.dit.inp.weight.grad = None
        self._optimiser.step()
        self._average.update(self.model)
        if self.step % self.figures_every == 1 % self.figures_every:
            for name, value in found.items():
                self._sums[name] = self._sums.get(name, 0.0) + value.detach()
                self._counts[name] = self._counts.get(name, 0) + 1

    def _losses(self, ring: Ring) -> tuple[Tensor, dict[str, Tensor]]:
        """What the step goes down, and all that is found on the way."""
        batch = ring.draw(self._settings.batch)
        found = self._objective.losses(batch, self.regression)
        ring.renew(batch)
        return self._objective.total(found), found

    def _leave_regression(self) -> None:
        begin_diffusion(self.model)
        self._average, self.regression = Average(self.model), False

    def figures(self) -> dict[str, float]:
        """Means since the last call; what had no value in some batch is left out."""
        means = {k: round(float(v) / self._counts[k], 4) for k, v in self._sums.items()}
        self._sums, self._counts = {}, {}
        return {k: v for k, v in means.items() if math.isfinite(v)}

    def publish(self, ring: Ring) -> VLA:
        """Publish the averaged weights; returns the model that has them."""
        s = self._settings
        twin = averaged(self.model, self._average, ring, s.norm_batches, s.batch)
        if self._together.leads:
            self._published += 1
            publish(twin, self._root, self._published, self.regression)
            if self.teaches_heads:
                save_weights(self._root / HEADS, self.heads)
        return twin
