"""Stage 1: the image encoder alone, on dense truth of single timesteps.

Why it is trained alone: docs/design.md, "Training".  Inputs are the front camera's two views
and, for one image in three, one side or rear view, so that every view's embedding is trained.  A
small head reads the expert's plan too, which teaches the encoder what the plan needs.  Heads are
thrown away afterwards; truth of several timesteps comes back as a loss of stage 2.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from alpamayo_ros.model.ego import NUMBERS, ego_numbers
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.checkpoint import load_weights, save_weights
from alpamayo_ros.training.dataset import Dataset
from alpamayo_ros.training.front import front_tokens, front_views, side_tokens, side_views
from alpamayo_ros.training.losses import known_rows, known_truth_loss, plan_loss
from alpamayo_ros.training.precision import mixed
from alpamayo_ros.training.stage import Stage
from alpamayo_ros.training.truth import COLUMN, GEOMETRY, NAMES, SCALE, SEEN

BATCH = 48
WEIGHTS = {'truth': 1.0, 'plan': 1.0, 'side': 0.5}


class Heads(nn.Module):
    """Throw-away readers of the encoder.

    Dense truth and plan from the front tokens, lane from one other view.
    """

    def __init__(self, model: VLA) -> None:
        super().__init__()
        p = model.profile
        width = p.vision.width
        self.front = front_tokens(p)
        self.truth = nn.Sequential(
            nn.Linear(self.front * width, 256), nn.GELU(), nn.Linear(256, len(NAMES))
        )
        self.plan = nn.Sequential(
            nn.Linear(self.front * width + NUMBERS, 256),
            nn.GELU(),
            nn.Linear(256, 3 * p.trajectory.points),
        )
        self.side = nn.Sequential(
            nn.Linear(side_tokens(p) * width, 128), nn.GELU(), nn.Linear(128, len(GEOMETRY))
        )

    def forward(self, tokens: Tensor, speed: Tensor) -> tuple[Tensor, Tensor]:
        """tokens (B, front tokens, width) -> truth (B, values) scaled, plan (B, P, 3).

        The plan is in network units.
        """
        flat = tokens.flatten(1)
        plan = self.plan(torch.cat([flat, ego_numbers(speed)], 1))
        return self.truth(flat), plan.reshape(len(flat), -1, 3)


class EncoderTrainer(nn.Module):
    """The per-view encoder with its heads; the cross-camera block is trained in stage 2."""

    def __init__(self, model: VLA) -> None:
        super().__init__()
        self.views, self.heads = model.views, Heads(model)
        token_of = model.token_of
        assert isinstance(token_of, Tensor)
        self.register_buffer('token_of', token_of, persistent=False)
        self.side_tokens = side_tokens(model.profile)
        self.front_views = front_views(model.profile)

    def forward(
        self, images: Tensor, side: Tensor, side_view: int, speed: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Heads' outputs for images (B, F, H, W, 3) of the front views.

        side (b, H, W, 3): one other view of the first b samples.
        """
        b, f = images.shape[:2]
        index = torch.tensor(self.front_views * b + [side_view] * len(side), device=images.device)
        tokens = self.views(torch.cat([images.flatten(0, 1), side]), index)
        front = tokens[: f * b].reshape(b, f * self.views.queries, -1)
        front = front[:, self.token_of[: self.heads.front]]
        truth, plan = self.heads(front, speed)
        return truth, plan, self.heads.side(tokens[f * b :, : self.side_tokens].flatten(1))


def augment(images: Tensor, rng: torch.Generator) -> Tensor:
    """Colour gain, brightness and pixel noise, one draw a sample.

    (B, V, H, W, 3) uint8 -> float 0..255.
    """
    b = len(images)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=rng)

    x = images.float() * (1 + 0.15 * normal(b, 1, 1, 1, 1)) * (1 + 0.05 * normal(b, 1, 1, 1, 3))
    x = x + 255 * 0.04 * normal(b, 1, 1, 1, 1)
    return x + 255 * 0.02 * torch.randn(x.shape, generator=rng)


def train_encoder(
    model: VLA, data: Dataset, val: Dataset, folder: Path, minutes: float, peak: float = 1e-3
) -> None:
    """Run (or resume) stage 1; writes ``encoder.safetensors`` and the heads beside it."""
    trainer = EncoderTrainer(model).train()
    trainer.views.stem.to(memory_format=torch.channels_last)
    heads_file = folder.parent / 'heads.safetensors'
    if heads_file.is_file():
        load_weights(heads_file, trainer.heads)
    params = [p for p in trainer.parameters() if p.requires_grad]
    stage = Stage(folder, 'encoder', trainer, params, minutes, peak, BATCH, weight_decay=0.03)
    seed = stage.budget.step
    rng, noise = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    weights = data.weights()
    with ThreadPoolExecutor(1) as loader:
        following = loader.submit(_prepare, model, data, weights, rng, noise)
        while stage.goes_on():
            batch = following.result()
            following = loader.submit(_prepare, model, data, weights, rng, noise)
            losses = dict(zip(WEIGHTS, _losses(trainer, batch), strict=True))
            stage.descend(losses, WEIGHTS)
            if stage.journal.due():
                stage.save(**evaluate_encoder(trainer, val, 300))
    stage.save(**evaluate_encoder(trainer, val, 1200))
    save_weights(heads_file, trainer.heads)


def _prepare(
    model: VLA,
    data: Dataset,
    weights: np.ndarray,
    rng: np.random.Generator,
    noise: torch.Generator,
) -> tuple[Tensor, Tensor, int, Tensor, Tensor, Tensor]:
    """Front images, side images, their view, truth, speed and plan of a random batch."""
    rows = np.sort(rng.choice(len(data), BATCH, p=weights))
    newest = data.rows['frames'][rows, 0]
    sides = side_views(model.profile)
    view = int(rng.integers(sides[0], sides[-1] + 1))
    images = augment(torch.from_numpy(data.images(newest, front_views(model.profile))), noise)
    side = augment(torch.from_numpy(data.images(newest[: BATCH // 3], (view,))), noise)[:, 0]
    truth, speed = (
        torch.from_numpy(data.rows['truth'][rows]),
        torch.from_numpy(data.rows['speed'][rows]),
    )
    clean = model.dit.normalise(torch.from_numpy(data.rows['plan'][rows]), speed)
    return images, side, view, truth, speed, clean


def _losses(
    trainer: EncoderTrainer, batch: tuple[Tensor, Tensor, int, Tensor, Tensor, Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    images, side, view, truth, speed, clean = batch
    with mixed(images.device):
        t, p, s = trainer(images, side, view, speed)
    scaled = truth[: len(side), GEOMETRY] / torch.as_tensor(SCALE[GEOMETRY])
    known = known_rows(truth[: len(side)])
    lane = s.sum() * 0.0
    if known.any():
        lane = nn.functional.smooth_l1_loss(s.float()[known], scaled[known], beta=0.3)
    return known_truth_loss(t.float(), truth), plan_loss(p.float(), clean), lane


@torch.no_grad()
def evaluate_encoder(trainer: EncoderTrainer, val: Dataset, count: int) -> dict[str, float]:
    """Errors of the truth head on validation samples, in SI units; none without their truth."""
    known = np.flatnonzero(np.isfinite(val.rows['truth']).all(1))
    rows = known[:: max(1, len(known) // count)]
    if not len(rows):
        return {}
    trainer.eval()
    images = torch.from_numpy(val.images(val.rows['frames'][rows, 0], trainer.front_views))
    speed = torch.from_numpy(val.rows['speed'][rows])
    out = []
    for k in range(0, len(rows), 64):
        x = images[k : k + 64].float()
        with mixed(x.device):
            out.append(
                trainer(x, x[:1, 0], len(trainer.front_views), speed[k : k + 64])[0].float()
            )
    trainer.train()
    got, truth = torch.cat(out).numpy(), val.rows['truth'][rows]
    return _figures(got, truth)


def _figures(got: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """What the journal says of scaled predictions ``got``; -1 where nothing is there to count."""
    c, seen = COLUMN, truth[:, SEEN] > 0.5
    error = np.abs(got * SCALE - truth)
    far, brake = seen & (truth[:, c['leader_gap']] > 25), c['leader_braking']
    braking = (got[seen, brake] > 0) == (truth[seen, brake] > 0.5)
    return {
        'offset_mae_m': round(float(error[:, c['lane_offset']].mean()), 4),
        'heading_mae_deg': round(float(np.degrees(error[:, c['heading_error']].mean())), 3),
        'lane20_mae_m': round(float(error[:, c['lane_y_20m']].mean()), 3),
        'leader_acc': round(float(((got[:, SEEN] > 0) == seen).mean()), 4),
        'far_recall': round(float((got[far, SEEN] > 0).mean()), 3) if far.any() else -1.0,
        'gap_mae_m': round(float(error[seen, c['leader_gap']].mean()), 2) if seen.any() else -1.0,
        'brake_acc': round(float(braking.mean()), 3) if seen.any() else -1.0,
    }
