"""Stage 2: temporal fusion, backbone and denoiser on stored vision features.

Diffusion starts from a regression: noise input and diffusion time are silent at first
(docs/design.md, "Trajectory").
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.batches import Batches
from alpamayo_ros.training.checkpoint import load_weights, save_weights
from alpamayo_ros.training.dataset import Dataset
from alpamayo_ros.training.driver_losses import DriverTrainer, driver_losses, one_step, see
from alpamayo_ros.training.stage import Stage

BATCH = 64
WEIGHTS = {'text': 0.3, 'plan': 2.0, 'truth': 0.5, 'feasible': 0.02}
HEAD = 'driver_head.safetensors'


@torch.no_grad()
def begin_diffusion(model: VLA) -> None:
    """Turn the regression into a diffusion start.

    The noisy plan and diffusion time begin without influence.
    """
    dit = model.dit
    f = torch.exp(torch.linspace(0, np.log(1000.0), 32, device=model.device)) * 1.0
    settled = dit.time(torch.cat([f.sin(), f.cos()])[None])[0]
    dit.time[2].weight.zero_()
    dit.time[2].bias.copy_(settled)
    dit.inp.weight.zero_()


@torch.no_grad()
def set_scale(model: VLA, plans: np.ndarray, speed: np.ndarray) -> None:
    """Mean and scale of the plan's deviation from straight driving.

    The scale has a floor of 0.15 m and 0.03 rad.
    """
    plan, v = torch.from_numpy(plans).to(model.device), torch.from_numpy(speed).to(model.device)
    z = plan - model.dit.straight(v)
    model.dit.mean.copy_(z.mean(0))
    model.dit.std.copy_(torch.maximum(z.std(0), z.new_tensor([0.15, 0.15, 0.03])))


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
    head_file = folder.parent / HEAD
    if head_file.is_file():
        load_weights(head_file, head.truth)
    params = list(head.parameters())
    if regression:
        params = [p for p in params if p is not model.dit.inp.weight]
        with torch.no_grad():
            model.dit.inp.weight.zero_()
    title = 'regression' if regression else 'driver'
    stage = Stage(folder, title, head, params, minutes, peak, BATCH, averaged=True)
    first = stage.budget.step
    batches = Batches(model, data, features[0], grammar, first)
    check = Batches(model, val, features[1], grammar, 0)
    generator = torch.Generator().manual_seed(first)
    model.eval()
    while stage.goes_on():
        losses = driver_losses(model, head, batches.draw(BATCH), regression, generator)
        stage.descend(losses, WEIGHTS)
        if stage.journal.due():
            stage.save(**evaluate_driver(model, check, 256, regression))
    stage.adopt_average()
    stage.save(**evaluate_driver(model, check, 600, regression))
    save_weights(head_file, head.truth)


@torch.no_grad()
def evaluate_driver(model: VLA, check: Batches, count: int, regression: bool) -> dict[str, float]:
    """ADE at 1, 3 and 6 s of one candidate, and accuracy of the teacher-forced words.

    The candidate is made without words.
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
            clean = model.dit.normalise(b.plan, b.speed)
            z = one_step(model, hidden, mask, clean, b.speed, 1, True, generator)
            plan = model.dit.to_metres(z, b.speed)
        else:
            noise = torch.randn(len(b.speed), 1, *b.plan.shape[1:], generator=generator)
            plan = model.denoise(hidden, mask, b.speed, noise)[:, 0]
        errors.append((plan - b.plan)[..., :2].norm(dim=-1))
    e = torch.cat(errors)
    second = round(1 / model.profile.trajectory.dt_s)
    return {
        'ade_1s': round(float(e[:, :second].mean()), 3),
        'ade_3s': round(float(e[:, : 3 * second].mean()), 3),
        'ade_6s': round(float(e.mean()), 3),
        'word_acc': round(right / max(total, 1), 4),
    }
