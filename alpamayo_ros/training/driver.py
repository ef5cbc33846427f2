"""Stage 2: temporal fusion, backbone and denoiser on stored vision features.

The chain of causation is teacher-forced.  So that the plan does not lean on words that are true
only in
training, the denoiser loses the words in half of the samples and reads another sample's in one of
eight.
Diffusion starts from a regression: noise input and diffusion time are silent at first (FIELD_NOTES
section 9).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.prompt import prefix_ids
from alpamayo_ros.model.schedule import add_noise
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.checkpoint import Resumable, save_weights
from alpamayo_ros.training.dataset import TRUTH_NAMES, Dataset
from alpamayo_ros.training.losses import feasibility_loss, plan_loss, text_loss, truth_loss
from alpamayo_ros.training.schedule import Average, Budget, Journal

BATCH, DRAWS = 64, 2
INSTRUCTION = 'follow the road'


@dataclass
class Batch:
    """One batch of stage 2, all tensors."""

    features: Tensor
    age_s: Tensor
    valid: Tensor
    speed: Tensor
    coc: Tensor
    choice: Tensor
    plan: Tensor
    truth: Tensor
    prefix: Tensor
    prefix_valid: Tensor


class DriverTrainer(nn.Module):
    """What stage 2 trains: the model less its per-timestep vision, plus a truth head on the fused
    tokens.
    """

    def __init__(self, model: VLA) -> None:
        super().__init__()
        self.cross, self.temporal, self.ego = model.cross, model.temporal, model.ego
        self.backbone, self.dit = model.backbone, model.dit
        self.spatial_bias = model.spatial_bias
        width = model.profile.backbone.width
        n = model.profile.views[0].tokens + model.profile.views[1].tokens
        self.truth = nn.Sequential(
            nn.Linear(n * width, 192), nn.GELU(), nn.Linear(192, len(TRUTH_NAMES))
        )
        self.front = n


class Batches:
    """Draws batches of stage 2 from a dataset, its features and the grammar."""

    def __init__(
        self, model: VLA, data: Dataset, features: Tensor, grammar: Grammar, seed: int
    ) -> None:
        self.data, self.features, self.grammar = data, features, grammar
        self.views = len(model.profile.views)
        self.rng = np.random.default_rng(seed)
        self.weights = data.weights()
        self.choice = choice_weights(grammar, data.rows['coc'])
        self.prefix, self.prefix_valid = prefix_pool(grammar, model.profile.text.max_prefix)

    def draw(self, size: int) -> Batch:
        """A random batch with input dropout: side cameras, past timesteps, instruction."""
        rows = self.rng.choice(len(self.data), size, p=self.weights)
        batch = self.gather(rows)
        valid = batch.valid
        valid[:, :, 2:] *= torch.from_numpy(self.rng.random((size, 1, self.views - 2)) > 0.1)
        past = torch.from_numpy(
            (self.rng.random((size, valid.shape[1])) > 0.08) & (self.rng.random((size, 1)) > 0.08)
        )
        past[:, 0] = True
        batch.valid = valid * past[:, :, None]
        pick = torch.from_numpy(
            np.where(self.rng.random(size) < 0.7, 0, self.rng.integers(0, len(self.prefix), size))
        )
        batch.prefix, batch.prefix_valid = self.prefix[pick], self.prefix_valid[pick]
        return batch

    def gather(self, rows: np.ndarray) -> Batch:
        """The samples ``rows`` without dropout."""
        r = {k: torch.from_numpy(v[rows]) for k, v in self.data.rows.items()}
        valid = r['past'].float()[:, :, None].repeat(1, 1, self.views)
        length = int(self.prefix_valid[0].sum())
        prefix = self.prefix[0, :length].repeat(len(rows), 1)
        return Batch(
            self.features[r['frames'].long()].float(),
            r['age_s'].float()[:, :, None].repeat(1, 1, self.views),
            valid,
            r['speed'].float(),
            r['coc'].long(),
            torch.from_numpy(self.choice[rows]),
            r['plan'].float(),
            r['truth'].float(),
            prefix,
            torch.ones(prefix.shape),
        )


def prefix_pool(grammar: Grammar, max_prefix: int) -> tuple[Tensor, Tensor]:
    """Padded text prefixes and their validity: the usual instruction first, then others and idle
    prompts.

    This first nano has no junctions to turn at: other words are noise to it, and it learns to
    drive on regardless.
    """
    texts = [
        (INSTRUCTION, ''),
        ('', ''),
        ('turn left in 100 m', ''),
        ('turn right in 40 m', ''),
        ('go straight', ''),
    ]
    texts += [
        (INSTRUCTION, p)
        for p in ('drive carefully', 'slowly please', 'wet road', 'children', 'comfortably')
    ]
    rows = [prefix_ids(grammar.tokenizer, *pair, max_prefix) for pair in texts]
    longest = max(map(len, rows))
    ids = torch.tensor([[*r, *[0] * (longest - len(r))] for r in rows])
    valid = torch.tensor([[1.0] * len(r) + [0.0] * (longest - len(r)) for r in rows])
    return ids, valid


def choice_weights(grammar: Grammar, coc: np.ndarray) -> np.ndarray:
    """(S, L) loss weight of each CoC token: 1 where the grammar leaves a choice, 0.05 where not, 0
    on padding.
    """
    out = np.zeros(coc.shape, np.float32)
    unique, inverse = np.unique(coc, axis=0, return_inverse=True)
    table = np.zeros(unique.shape, np.float32)
    for i, row in enumerate(unique):
        state = grammar.start
        for j, token in enumerate(row):
            if grammar.done(state):
                break
            table[i, j] = 1.0 if len(grammar.allowed(state)) > 1 else 0.05
            state = grammar.advance(state, int(token))
    out[:] = table[inverse.ravel()]
    return out


def driver_losses(
    model: VLA, head: DriverTrainer, b: Batch, regression: bool, generator: torch.Generator
) -> dict[str, Tensor]:
    """All losses of one batch; ``regression`` silences noise and time (the warm start)."""
    size = len(b.speed)
    with torch.autocast(b.speed.device.type, torch.bfloat16):
        visual = see(model, b)
        hidden = model.hidden(b.prefix, b.prefix_valid, visual, b.speed, b.coc)
        start = b.prefix.shape[1] + model.profile.visual_tokens
        logits = model.backbone.logits(hidden[:, start:-1])
        truth = head.truth(visual[:, : head.front].flatten(1))
        mask = _context_mask(b, start + 1, hidden, generator)
        clean = model.dit.normalise(b.plan, b.speed)
        draws = 1 if regression else DRAWS
        predicted = _denoise(model, hidden, mask, clean, b.speed, draws, regression, generator)
    repeated = clean.repeat_interleave(draws, 0)
    metres = model.dit.to_metres(predicted.float(), b.speed.repeat_interleave(draws))
    assert len(predicted) == size * draws
    return {
        'text': text_loss(logits, b.coc, b.choice),
        'plan': plan_loss(predicted.float(), repeated),
        'truth': truth_loss(truth.float(), b.truth),
        'feasible': feasibility_loss(metres, model.profile.trajectory.dt_s),
    }


def see(model: VLA, b: Batch) -> Tensor:
    """Visual tokens (B, N, backbone width) of a batch of stored per-view tokens."""
    size, count = b.features.shape[:2]
    mixed = model.cross(b.features.flatten(0, 1), b.valid.flatten(0, 1))
    return model.fuse(mixed.reshape(size, count, *mixed.shape[1:]), b.age_s, b.valid)


def _context_mask(b: Batch, words: int, hidden: Tensor, generator: torch.Generator) -> Tensor:
    """(B, S) 1 where the denoiser may look: text prefix padding hidden, the words dropped in half
    of the samples.
    """
    keep = torch.ones(hidden.shape[:2])
    keep[:, : b.prefix.shape[1]] = b.prefix_valid
    keep[:, words:] = (b.coc > 0).float()
    keep[:, words:] *= (torch.rand(len(keep), 1, generator=generator) > 0.5).float()
    return keep


def _denoise(
    model: VLA,
    hidden: Tensor,
    mask: Tensor,
    clean: Tensor,
    speed: Tensor,
    draws: int,
    regression: bool,
    generator: torch.Generator,
) -> Tensor:
    size, steps = len(clean), model.profile.diffusion.train_steps
    context = [
        (k.repeat_interleave(draws, 0), v.repeat_interleave(draws, 0))
        for k, v in model.dit.context(hidden)
    ]
    hide = ((1.0 - mask) * -1e4)[:, None, None].repeat_interleave(draws, 0)
    if regression:
        x, t = torch.zeros_like(clean), torch.ones(size)
    else:
        level = torch.randint(1, steps + 1, (size * draws,), generator=generator)
        noise = torch.randn(size * draws, *clean.shape[1:], generator=generator)
        x = add_noise(clean.repeat_interleave(draws, 0), noise, model.alpha_bar[level])
        t = level / steps
    return model.dit(x, model.dit.condition(t, speed.repeat_interleave(draws)), context, hide)


@torch.no_grad()
def begin_diffusion(model: VLA) -> None:
    """Turn the regression into a diffusion start: the noisy plan and diffusion time begin without
    influence.
    """
    dit = model.dit
    f = torch.exp(torch.linspace(0, np.log(1000.0), 32)) * 1.0
    settled = dit.time(torch.cat([f.sin(), f.cos()])[None])[0]
    dit.time[2].weight.zero_()
    dit.time[2].bias.copy_(settled)
    dit.inp.weight.zero_()


@torch.no_grad()
def set_scale(model: VLA, plans: np.ndarray, speed: np.ndarray) -> None:
    """Mean and scale of the plan's deviation from straight driving, with a floor of 0.15 m and
    0.03 rad.
    """
    plan, v = torch.from_numpy(plans), torch.from_numpy(speed)
    z = plan - model.dit.straight(v)
    model.dit.mean.copy_(z.mean(0))
    model.dit.std.copy_(torch.maximum(z.std(0), torch.tensor([0.15, 0.15, 0.03])))


def train_driver(
    model: VLA,
    data: Dataset,
    val: Dataset,
    features: tuple[Tensor, Tensor],
    grammar: Grammar,
    folder: Path,
    minutes: float,
    regression: bool,
    peak: float = 1e-3,
) -> None:
    """Run (or resume) stage 2; the averaged weights end up in ``model``."""
    head = DriverTrainer(model).train()
    head_file = folder.parent / 'driver_head.safetensors'
    if head_file.is_file():
        from safetensors.torch import load_file

        head.truth.load_state_dict(load_file(head_file))
    params = list(head.parameters())
    if regression:
        params = [p for p in params if p is not model.dit.inp.weight]
        with torch.no_grad():
            model.dit.inp.weight.zero_()
    optimiser = torch.optim.AdamW(params, peak, weight_decay=0.02, betas=(0.9, 0.98))
    state = Resumable(folder, head, optimiser)
    seen = state.restore() or {'elapsed': 0.0, 'step': 0}
    budget = Budget(minutes, peak, elapsed=seen['elapsed'], step=int(seen['step']))
    journal, average = Journal(folder, 'regression' if regression else 'driver'), Average(head)
    batches = Batches(model, data, features[0], grammar, budget.step)
    check = Batches(model, val, features[1], grammar, 0)
    generator = torch.Generator().manual_seed(budget.step)
    model.eval()
    while budget.advance(optimiser):
        losses = driver_losses(model, head, batches.draw(BATCH), regression, generator)
        loss = (
            0.3 * losses['text']
            + 2.0 * losses['plan']
            + 0.5 * losses['truth']
            + 0.02 * losses['feasible']
        )
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        optimiser.step()
        average.update(head)
        journal.add(**{k: v.item() for k, v in losses.items()})
        if journal.due():
            journal.write(budget, BATCH, **evaluate_driver(model, check, 256, regression))
            state.save({'elapsed': budget.elapsed, 'step': budget.step})
    average.copy_to(head)
    journal.write(budget, BATCH, **evaluate_driver(model, check, 600, regression))
    state.save({'elapsed': budget.elapsed, 'step': budget.step})
    save_weights(head_file, head.truth)


@torch.no_grad()
def evaluate_driver(model: VLA, check: Batches, count: int, regression: bool) -> dict[str, float]:
    """ADE at 1, 3 and 6 s of one candidate (DDIM 10, without words) and accuracy of the teacher-
    forced words.
    """
    rows = np.arange(len(check.data))[:: max(1, len(check.data) // count)]
    errors, right, total = [], 0.0, 0.0
    generator = torch.Generator().manual_seed(0)
    for k in range(0, len(rows), 64):
        b = check.gather(rows[k : k + 64])
        visual = see(model, b)
        hidden = model.hidden(b.prefix, b.prefix_valid, visual, b.speed, b.coc)
        start = b.prefix.shape[1] + model.profile.visual_tokens
        wanted = b.choice > 0.5
        got = model.backbone.logits(hidden[:, start:-1]).argmax(-1)
        right += float(((got == b.coc) & wanted).sum())
        total += float(wanted.sum())
        mask = torch.ones(hidden.shape[:2])
        mask[:, start + 1 :] = 0
        if regression:
            z = _denoise(
                model,
                hidden,
                mask,
                model.dit.normalise(b.plan, b.speed),
                b.speed,
                1,
                True,
                generator,
            )
            plan = model.dit.to_metres(z, b.speed)
        else:
            noise = torch.randn(len(b.speed), 1, *b.plan.shape[1:], generator=generator)
            plan = model.denoise(hidden, mask, b.speed, noise)[:, 0]
        errors.append((plan - b.plan)[..., :2].norm(dim=-1))
    e = torch.cat(errors)
    return {
        'ade_1s': round(float(e[:, :10].mean()), 3),
        'ade_3s': round(float(e[:, :30].mean()), 3),
        'ade_6s': round(float(e.mean()), 3),
        'word_acc': round(right / max(total, 1), 4),
    }
