"""The trainer of the stage ``wordings``: a backbone that takes other words for the same wish.

A copy of the weights it begins with is asked in the wording it knows; the backbone learns to say
and to drive the same when it is asked otherwise, and when nobody asks for anything.  Nothing else
of the model learns, and no expert teaches: what nobody said differently stays as it was.

Where the run rounds to INT8 the copy stays in float, and the denoiser learns too: both learn to
give rounded what they gave in float.
"""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from alpamayo_ros.model.diffusion import add_noise
from alpamayo_ros.model.layout import MASKED
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.checkpoint import load_fitting, load_weights, save_weights
from alpamayo_ros.training.precision import mixed
from alpamayo_ros.training.reinforcement.ppo import categorical_kl, weighted
from alpamayo_ros.training.reinforcement.rollout import seen_of
from alpamayo_ros.training.reinforcement.speech import (
    Seen,
    hidden_states,
    say,
    spoken,
    word_scores,
)
from alpamayo_ros.training.reinforcement.word_table import WordTable
from alpamayo_ros.training.stream.losses import BETA, DRAWS, NOISIER
from alpamayo_ros.training.stream.ring import Ring
from alpamayo_ros.training.stream.trainer import Trainer
from alpamayo_ros.training.wordings.prefix import Prefix
from alpamayo_ros.training.wordings.rewording import Rewording

KNOWN = 'known.safetensors'
SEED = 6151  # of what is asked; ranks and calls add to it


class WordingTrainer(Trainer):
    """A :class:`Trainer` that goes down the distance from what the known wording gives."""

    teaches_heads = False

    def __init__(self, start: Start) -> None:
        if start.settings.wordings is None:
            raise ValueError('stage: wordings needs the part wordings of a recipe')
        known = copy.deepcopy(start.model)  # before it is rounded
        super().__init__(start)
        model, grammar, together, root = start.model, start.grammar, start.together, start.root
        self._wordings = start.settings.wordings
        self._table = WordTable(grammar, model.profile.text.vocab_size, together.device)
        self._known = known.to(together.device).eval().requires_grad_(False)
        together.same_start(self._known)
        if together.leads and not (root / 'counters.json').is_file():
            save_weights(root / KNOWN, self._known)
        most = model.profile.text.max_prefix
        self._seed, self._most, self._tokenizer = SEED + together.rank, most, grammar.tokenizer
        self._rewording = Rewording(grammar.tokenizer, most, self._wordings, self._seed)

    def _choose_learners(self) -> None:
        self.model.requires_grad_(False)
        self.model.backbone.requires_grad_(True)
        self.model.dit.requires_grad_(self._settings.quantise != 'none')

    def restore(self, begin: Path | None = None) -> dict[str, float]:
        """As :meth:`Trainer.restore`; what is known is what the run began with.

        A new run that begins with one of this stage is taught by what that one began with.
        """
        seen = super().restore(begin)
        if not seen and begin is not None and (begin / KNOWN).is_file():
            load_fitting(begin / KNOWN, self._known)
            if self._together.leads:
                save_weights(self._root / KNOWN, self._known)
        if seen:
            load_weights(self._root / KNOWN, self._known)
            seed = self._seed + self.step
            self._rewording = Rewording(self._tokenizer, self._most, self._wordings, seed)
        return seen

    def _losses(self, ring: Ring) -> tuple[Tensor, dict[str, Tensor]]:
        b = ring.draw(self._settings.batch)
        known, other = self._rewording.draw(Prefix(b['prefix'], b['prefix_valid']))
        with mixed(self._together.device):
            seen = told = seen_of(self.model, b)
            if self._settings.quantise != 'none':
                told = seen_of(self._known, b)
            found = self._apart(_asked(told, known), _asked(seen, other))
        weights = self._wordings
        return weights.words * found['words'] + weights.plan * found['plan'], found

    def _apart(self, known: Seen, other: Seen) -> dict[str, Tensor]:
        """How far words and plan of another wording are from those of the known one."""
        teacher, model = self._known, self.model
        said = say(teacher, self._table, known).tokens
        with torch.no_grad():
            hidden = hidden_states(teacher, known, said)
            scores = word_scores(teacher, self._table, hidden, said)
            x, t, speed = self._noisy(known, hidden, said)
            wanted = _denoised(teacher, known, hidden, said, x, t, speed)
        hidden = hidden_states(model, other, said)
        now = word_scores(model, self._table, hidden, said)
        chosen = self._table.free[self._table.states(said)].float() * spoken(said)
        got = _denoised(model, other, hidden, said, x, t, speed)
        off = model.dit.to_metres(got.detach(), speed) - model.dit.to_metres(wanted, speed)
        return {
            'words': weighted(categorical_kl(scores, now), chosen),
            'plan': F.smooth_l1_loss(got, wanted, beta=BETA),
            'other_words': weighted((now.argmax(-1) != said).float(), chosen).detach(),
            'ade_6s': off[..., :2].norm(dim=-1).mean(),
        }

    def _noisy(self, known: Seen, hidden: Tensor, said: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """A plan of the known wording at some levels of noise, the levels, its speed."""
        model, size = self._known, len(said)
        profile, device = model.profile, hidden.device
        steps = profile.diffusion.train_steps
        noise = torch.randn(size, 1, profile.trajectory.points, 3, device=device)
        mask = model.denoiser_mask(known.real, spoken(said))
        plan = model.denoise(hidden, mask, known.speed, noise)[:, 0]
        clean = model.dit.normalise(plan, known.speed).repeat_interleave(DRAWS, 0)
        u = torch.rand(size * DRAWS, device=device) ** NOISIER
        level = (u * steps).long().clamp(0, steps - 1) + 1
        x = add_noise(clean, torch.randn_like(clean), model.alpha_bar[level])
        return x, level / steps, known.speed.repeat_interleave(DRAWS)


def _asked(seen: Seen, prefix: Prefix) -> Seen:
    return Seen(prefix.ids, prefix.real, seen.visual, seen.speed)


def _denoised(
    model: VLA, seen: Seen, hidden: Tensor, said: Tensor, x: Tensor, t: Tensor, speed: Tensor
) -> Tensor:
    """One step of the denoiser, in network units."""
    hide = ((1.0 - model.denoiser_mask(seen.real, spoken(said))) * MASKED)[:, None, None]
    return model.dit(x, model.dit.condition(t, speed), model.dit.context(hidden), hide).float()
