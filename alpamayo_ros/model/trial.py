"""Try an architecture on made-up numbers: does it learn, sample, and do without each input?

For whoever writes a profile; what a model of it could learn from pictures is another question.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from alpamayo_ros.model.diffusion import add_noise, alpha_bar
from alpamayo_ros.model.drop_inputs import Rates, drop_inputs
from alpamayo_ros.model.layout import MASKED
from alpamayo_ros.model.narrow import narrow
from alpamayo_ros.model.scene_inputs import SceneInputs
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import ModelProfile

TEXT_TOKENS = 6  # of prefix, last words and words
LEARNING_RATE = 3e-3
SHARE_LOST = 0.2  # of samples that lose an input, of each
BATCH = 4


@dataclass(frozen=True, slots=True)
class Samples:
    """A made-up batch: pictures, instants, texts, plan; ``prior`` where the profile reads it."""

    images: Tensor
    cameras: Tensor
    speed_mps: Tensor
    prefix: Tensor
    prior: Tensor | None
    prior_valid: Tensor
    coc: Tensor
    plan: Tensor
    given: SceneInputs


@dataclass(frozen=True, slots=True)
class Trial:
    """What came out; ``unreached``: weights that neither words nor plan ever gave a gradient."""

    parameters: int
    first_loss: float
    last_loss: float
    unreached: tuple[str, ...]
    finite: bool
    apart_m: float
    differences: dict[str, float]
    bfloat16: float


def made_up(profile: ModelProfile, generator: torch.Generator) -> Samples:
    """Random numbers of the right shapes."""
    t, v, h = profile.frames.count, len(profile.views), profile.ego_history.count
    size = (BATCH * t, v, *profile.view_size, 3)

    def words() -> Tensor:
        shape = (BATCH, TEXT_TOKENS)
        return torch.randint(0, profile.text.vocab_size, shape, generator=generator)

    def numbers(*shape: int) -> Tensor:
        return torch.randn(BATCH, *shape, generator=generator)

    lines = numbers(profile.inputs.map_lines, profile.inputs.map_points, 2) * 20.0
    age_s = torch.arange(t).float()[None, :, None].repeat(BATCH, 1, v) * profile.frames.spacing_s
    return Samples(
        torch.randint(0, 256, size, generator=generator).to(torch.uint8),
        torch.ones(BATCH, t, v),
        torch.rand(BATCH, generator=generator) * profile.max_speed_mps,
        words(),
        words() if profile.inputs.prior_coc else None,
        torch.ones(BATCH, TEXT_TOKENS),
        words(),
        numbers(profile.trajectory.points, 3),
        SceneInputs(numbers(h, 3), torch.ones(BATCH, h), lines, None, age_s),
    )


def read(model: VLA, b: Samples) -> Tensor:
    """Hidden states of the whole sequence of a batch."""
    size, t = b.cameras.shape[:2]
    features = model.encode_timestep(b.images, b.cameras.flatten(0, 1))
    features = features.reshape(size, t, *features.shape[1:])
    assert b.given.age_s is not None
    visual = model.fuse(features, b.given.age_s, b.cameras)
    prior = None if b.prior is None else (b.prior, b.prior_valid)
    real = torch.ones(b.prefix.shape)
    return model.hidden(b.prefix, real, visual, b.speed_mps, b.coc, b.given, prior)


def seen(model: VLA, b: Samples) -> Tensor:
    """(B, S) 1 where the denoiser looks."""
    prior = None if b.prior is None else b.prior_valid
    return model.denoiser_mask(torch.ones(b.prefix.shape), torch.ones(b.coc.shape), prior)


def loss(model: VLA, b: Samples, generator: torch.Generator) -> Tensor:
    """Cross-entropy of the words plus squared error of the denoiser, at random noise levels."""
    hidden, diffusion = read(model, b), model.profile.diffusion
    logits = model.backbone.logits(hidden[:, -TEXT_TOKENS - 1 : -1]).flatten(0, 1)
    step = torch.randint(1, diffusion.train_steps + 1, (BATCH,), generator=generator)
    power = alpha_bar(diffusion)[step]
    noise = torch.randn(b.plan.shape, generator=generator)
    net, hide = model.denoiser, ((seen(model, b) - 1) * -MASKED)[:, None, None]
    c = net.condition(step / diffusion.train_steps, b.speed_mps)
    out = net(add_noise(b.plan, noise, power), c, net.context(hidden), hide)
    wanted = {'sample': b.plan, 'epsilon': noise}.get(diffusion.prediction_type)
    if wanted is None:
        a = power[:, None, None]
        wanted = a.sqrt() * noise - (1 - a).sqrt() * b.plan
    return F.cross_entropy(logits.float(), b.coc.flatten()) + F.mse_loss(out.float(), wanted)


def learn(
    model: VLA, b: Samples, steps: int, generator: torch.Generator
) -> tuple[list[float], tuple[str, ...]]:
    """Losses of ``steps`` on one batch, and the weights that none of them reached.

    In each step other samples lose other inputs.
    """
    rates = Rates(*[SHARE_LOST] * 4)
    optimiser = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=0.0)
    losses, unreached = [], dict(model.named_parameters())
    for _ in range(steps):
        given, cameras, prior = drop_inputs(b.given, b.cameras, b.prior_valid, rates, generator)
        some = replace(b, given=given, cameras=cameras, prior_valid=prior)
        value = loss(model, some, generator)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        losses.append(float(value.detach()))
        unreached = {n: p for n, p in unreached.items() if p.grad is None or not p.grad.any()}
    return losses, tuple(unreached)


@torch.no_grad()
def without(model: VLA, b: Samples) -> dict[str, float]:
    """How far the last word's hidden state moves when an input is lost, NaN when it breaks."""
    whole, zero = read(model, b)[:, -1], torch.zeros_like
    lost = {'cameras': replace(b, cameras=zero(b.cameras))}
    if model.history is not None:
        lost['history'] = replace(b, given=replace(b.given, history=None))
    if model.map is not None:
        lost['map'] = replace(b, given=replace(b.given, lines=None))
    if b.prior is not None:
        lost['prior'] = replace(b, prior_valid=zero(b.prior_valid))
    return {name: float((read(model, s)[:, -1] - whole).abs().max()) for name, s in lost.items()}


@torch.no_grad()
def rounded(model: VLA, b: Samples) -> float:
    """How far hidden states move when all weights are rounded to bfloat16, in place."""
    whole = read(model, b)
    return float((read(narrow(model, torch.bfloat16), b).float() - whole).abs().max())


def trial(profile: ModelProfile, steps: int, seed: int = 0) -> Trial:
    """Train ``profile`` from random weights for some steps, then sample from it."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model, b = VLA(profile), made_up(profile, generator)
    losses, unreached = learn(model.train(), b, steps, generator)
    model.eval()
    shape = (BATCH, profile.candidates, profile.trajectory.points, 3)
    with torch.no_grad():
        noise = torch.randn(shape, generator=generator)
        plans = model.denoise(read(model, b), seen(model, b), b.speed_mps, noise)
    return Trial(
        sum(p.numel() for p in model.parameters()),
        losses[0],
        losses[-1],
        unreached,
        bool(plans.isfinite().all()),
        float(plans[..., :2].std(1).mean()),
        without(model, b),
        rounded(model, b),
    )
