"""Stage 4: everything at once, vision included, on expert and aggregated samples.

The newest timestep's front views are encoded with gradient; side views and past timesteps come
from stored features, which lag behind by a few hundred small steps.  That is what two cores can
afford.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.batches import Batches
from alpamayo_ros.training.checkpoint import load_weights, save_weights
from alpamayo_ros.training.dataset import Dataset
from alpamayo_ros.training.driver import HEAD, evaluate_driver
from alpamayo_ros.training.driver_losses import DriverTrainer, driver_losses
from alpamayo_ros.training.encoder import augment
from alpamayo_ros.training.front import front_tokens, front_views
from alpamayo_ros.training.precision import mixed
from alpamayo_ros.training.stage import Stage

BATCH = 32
WEIGHTS = {'text': 0.3, 'plan': 2.0, 'truth': 1.0, 'feasible': 0.02}


def train_joint(
    model: VLA,
    data: Dataset,
    val: Dataset,
    features: tuple[Tensor, Tensor],
    grammar: Grammar,
    folder: Path,
    minutes: float,
    peak: float = 2e-4,
) -> None:
    """Run (or resume) the joint stage; BatchNorm statistics stay as stage 1 left them."""
    head = DriverTrainer(model)
    head_file = folder.parent / HEAD
    if head_file.is_file():
        load_weights(head_file, head.truth)
    whole = nn.ModuleDict({'views': model.views, 'driver': head})
    model.eval()
    params = [p for p in whole.parameters() if p.requires_grad]
    stage = Stage(folder, 'joint', whole, params, minutes, peak, BATCH, averaged=True)
    seed = stage.budget.step + 1
    batches = Batches(model, data, features[0], grammar, seed)
    check = Batches(model, val, features[1], grammar, 0)
    generator = torch.Generator().manual_seed(seed)
    while stage.goes_on():
        rows = batches.rng.choice(len(data), BATCH, p=batches.weights)
        batch = batches.gather(rows)
        pictures = data.images(data.rows['frames'][rows, 0], front_views(model.profile))
        images = augment(torch.from_numpy(pictures), generator)
        batch.features = _with_fresh_front(model, images, batch.features)
        stage.descend(driver_losses(model, head, batch, False, generator), WEIGHTS)
        if stage.journal.due():
            stage.save(**evaluate_driver(model, check, 256, False))
    stage.adopt_average()
    stage.save()
    save_weights(head_file, head.truth)


def _with_fresh_front(model: VLA, images: Tensor, stored: Tensor) -> Tensor:
    """Stored features (B, T, N, width) with the newest timestep's front tokens encoded again.

    These carry a gradient.
    """
    b, n = len(images), front_tokens(model.profile)
    index = torch.tensor(front_views(model.profile), device=model.device).repeat(b)
    with mixed(model.device):
        tokens = model.views(images.flatten(0, 1), index)
        fresh = tokens.reshape(b, -1, tokens.shape[-1])[:, model.token_of[:n]].float()
    newest = torch.cat([fresh, stored[:, 0, n:]], 1)
    return torch.cat([newest[:, None], stored[:, 1:]], 1)
