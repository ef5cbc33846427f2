"""What streaming training minimises, end to end: plan, words, feasibility, dense truth.

The newest timestep's views carry a gradient, past timesteps do not; frozen views come as tokens,
a frozen stem as patches of the newest timestep beside tokens of the past ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from alpamayo_ros.model.diffusion import add_noise
from alpamayo_ros.model.layout import MASKED
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.batches import SILENT, without_words
from alpamayo_ros.training.feasibility import feasibility_loss
from alpamayo_ros.training.front import front_views
from alpamayo_ros.training.losses import text_loss, truth_loss
from alpamayo_ros.training.precision import mixed
from alpamayo_ros.training.stream.augmentation import augment, lose_pictures
from alpamayo_ros.training.stream.dense_loss import Heads, dense_loss, lights_read
from alpamayo_ros.training.stream.settings import Losses
from alpamayo_ros.training.truth import NAMES

DRAWS = 2  # noise levels a sample
NOISIER = 0.7  # exponent on the uniform level: noisy plans, which decide, more often
WORDS_LOST = 0.5  # share of samples in which the denoiser does without words
SOON_S, LATER_S, WEIGHT_BY_TIME = 2.05, 4.05, (1.5, 0.9, 0.6)
BETA = 0.3
ADE_S = {'ade_1s': 1.0, 'ade_3s': 3.0, 'ade_6s': 6.0}


class Told(NamedTuple):
    """Words (B, L) that the backbone reads, those that the denoiser sees, weights as a lesson."""

    ids: Tensor
    seen: Tensor
    taught: Tensor


@dataclass(frozen=True, slots=True)
class Objective:
    """The losses of a model with its heads; ``silence``: ids of a prefix without words.

    ``own_words``: share of the policy's samples in which the denoiser goes by what the policy
    said, right or wrong, as it does at run time; such a sample teaches no words.  A reading
    without weight is not computed.
    """

    model: VLA
    heads: Heads
    weights: Losses
    silence: Tensor
    own_words: float = 0.0

    def total(self, found: dict[str, Tensor]) -> Tensor:
        """The weighted sum of what :meth:`losses` found."""
        weights = self.weights.model_dump()
        return torch.stack([w * found[name] for name, w in weights.items() if w]).sum()

    def losses(self, b: dict[str, Tensor], regression: bool) -> dict[str, Tensor]:
        """Losses and, detached, figures of a batch of ``Ring.draw``.

        Where it has ``patches`` its newest ``tokens`` are then what the views make of them.
        """
        model, device = self.model, b['speed'].device
        front = len(front_views(model.profile))
        valid = lose_pictures(b['past'], len(model.profile.views), front)
        silent = torch.rand(len(valid), 1, device=device) < SILENT
        ids, real = without_words(b['prefix'], b['prefix_valid'], silent, self.silence)
        with mixed(device):
            new, visual = self._see(b, valid)
            told = self._told(b)
            hidden = model.hidden(ids, real, visual, b['speed'], told.ids)
            words = model.sequence(ids.shape[1], told.ids.shape[1]).span('coc')
            logits = model.backbone.logits(hidden[:, words.start - 1 : words.stop - 1])
            readings = self._read(new, visual)
            hide = ((1.0 - model.denoiser_mask(real, told.seen)) * MASKED)[:, None, None]
            predicted, clean, speed = self._denoise(b, hidden, hide, regression)
        metres = model.dit.to_metres(predicted, speed)
        found = {
            'plan': self._plan_loss(predicted, clean),
            'text': text_loss(logits, told.ids, told.taught),
            'feasible': feasibility_loss(metres, speed, model.profile.trajectory.dt_s),
        }
        found |= {name: _reading_loss(got, b) for name, got in readings.items()}
        if 'fused' in readings:
            lights = readings['fused'].detach()[:, len(NAMES) :]
            found['lights'] = lights_read(lights, b['dense'])
        return found | self._figures(metres, b)

    def _read(self, new: Tensor, visual: Tensor) -> dict[str, Tensor]:
        """Dense truth as the heads read it: of the newest tokens, and of the fused ones."""
        readers = {'single': (self.heads.single, new), 'fused': (self.heads.fused, visual)}
        return {
            name: reader(tokens.flatten(1)).float()
            for name, (reader, tokens) in readers.items()
            if getattr(self.weights, name)
        }

    def _see(self, b: dict[str, Tensor], valid: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens of the newest timestep, and the fused ones."""
        model, age_s = self.model, b['age_s'][:, :, None].expand(valid.shape)
        tokens = self._tokens(b, valid)
        crossed = model.cross(tokens.flatten(0, 1), valid.flatten(0, 1)).reshape(tokens.shape)
        return tokens[:, 0], model.fuse(crossed, age_s, valid)

    def _tokens(self, b: dict[str, Tensor], valid: Tensor) -> Tensor:
        """(B, T, N, width) of a batch; where views learn the newest timestep has a gradient."""
        model = self.model
        if 'patches' in b:
            new = model.patch_tokens(b['patches'].float())
            b['tokens'][:, 0] = new.detach()
            return torch.cat([new[:, None], b['tokens'][:, 1:].to(new.dtype)], 1)
        if 'tokens' in b:
            return b['tokens'].float()
        x = augment(b['images']) * (valid > 0)[..., None, None, None]  # a lost view is black
        size, count = x.shape[:2]
        new = model.view_tokens(x[:, 0])
        with torch.no_grad():
            old = model.view_tokens(x[:, 1:].flatten(0, 1))
        return torch.cat([new[:, None], old.reshape(size, count - 1, *new.shape[1:])], 1)

    def _told(self, b: dict[str, Tensor]) -> Told:
        """The expert's words, which the denoiser often does without, or the policy's own."""
        size, device = len(b['coc']), b['coc'].device
        kept = torch.rand(size, 1, device=device) > WORDS_LOST
        if not self.own_words:
            return Told(b['coc'], ((b['choice'] > 0) & kept).float(), b['choice'])
        said = b['said'].long()
        own = (said[:, :1] > 0) & (torch.rand(size, 1, device=device) < self.own_words)
        length = max(b['coc'].shape[1], int((said > 0).sum(1).max()))
        room = (0, length - b['coc'].shape[1])
        coc, choice, said = F.pad(b['coc'], room), F.pad(b['choice'], room), said[:, :length]
        seen = torch.where(own, said > 0, (choice > 0) & kept)
        return Told(torch.where(own, said, coc), seen.float(), choice * ~own)

    def _denoise(
        self, b: dict[str, Tensor], hidden: Tensor, hide: Tensor, regression: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Clean plans as predicted and as they are, in network units, and their speeds."""
        model, size, draws = self.model, len(hidden), 1 if regression else DRAWS
        device, steps = hidden.device, model.profile.diffusion.train_steps
        clean = model.dit.normalise(b['plan'], b['speed']).repeat_interleave(draws, 0)
        speed = b['speed'].repeat_interleave(draws)
        if regression:
            x, t = torch.zeros_like(clean), torch.ones(size, device=device)
        else:
            u = torch.rand(size * draws, device=device) ** NOISIER
            level = (u * steps).long().clamp(0, steps - 1) + 1
            x = add_noise(clean, torch.randn_like(clean), model.alpha_bar[level])
            t = level / steps
        context = model.dit.context(hidden)
        predicted = model.dit(x, model.dit.condition(t, speed), context, hide).float()
        return predicted, clean, speed

    def _plan_loss(self, predicted: Tensor, clean: Tensor) -> Tensor:
        """Smooth L1 in network units; what is driven next counts most."""
        dt_s = self.model.profile.trajectory.dt_s
        t = torch.arange(1, clean.shape[1] + 1, device=clean.device) * dt_s
        soon, later, last = WEIGHT_BY_TIME
        by_time = torch.where(t < SOON_S, soon, torch.where(t < LATER_S, later, last))
        off = F.smooth_l1_loss(predicted, clean, beta=BETA, reduction='none')
        return (off * by_time[None, :, None]).mean()

    def _figures(self, metres: Tensor, b: dict[str, Tensor]) -> dict[str, Tensor]:
        draws = len(metres) // len(b['plan'])
        off = (metres.detach() - b['plan'].repeat_interleave(draws, 0))[..., :2].norm(dim=-1)
        dt_s = self.model.profile.trajectory.dt_s
        return {name: off[:, : round(s / dt_s)].mean() for name, s in ADE_S.items()}


def _reading_loss(got: Tensor, b: dict[str, Tensor]) -> Tensor:
    n = len(NAMES)
    return truth_loss(got[:, :n], b['truth']) + dense_loss(got[:, n:], b['dense'])
