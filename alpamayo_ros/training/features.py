"""Per-view tokens of frozen vision for every stored timestep.

Each view on its own, before cross-camera attention.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float16, UInt8
from torch import Tensor

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.dataset import Dataset
from alpamayo_ros.training.precision import mixed


@torch.no_grad()
def stored_features(model: VLA, data: Dataset, tag: str, block: int = 32) -> torch.Tensor:
    """(F, N, width) float16, cached beside each shard.

    The file's name is ``tag`` plus a hash of the vision weights.
    """
    model.eval()
    digest = hashlib.blake2b(digest_size=6)
    for name, value in sorted(model.state_dict().items()):
        if name.startswith('views.'):
            digest.update(value.float().numpy().tobytes())
    name = f'features_{tag}_{digest.hexdigest()}.npy'
    out = []
    for folder in data.folders:
        path = folder / name
        if not path.is_file():
            _encode_shard(model, folder, path, block)
        out.append(torch.from_numpy(np.load(path, allow_pickle=False)))  # noqa: TID251
    return torch.cat(out)


@torch.no_grad()
def view_features(
    model: VLA, frames: UInt8[np.ndarray, 'F V H W 3'], block: int = 32
) -> Float16[Tensor, 'F N width']:
    """Tokens of every timestep by the views as they are, ``block`` timesteps at a time."""
    p = model.profile
    result = torch.zeros(len(frames), p.visual_tokens, p.vision.width, dtype=torch.float16)
    for k in range(0, len(frames), block):
        images = torch.from_numpy(np.ascontiguousarray(frames[k : k + block])).to(model.device)
        with mixed(model.device):
            result[k : k + block] = model.view_tokens(images)
    return result


def _encode_shard(model: VLA, folder: Path, path: Path, block: int) -> None:
    frames = np.load(folder / 'frames.npy', mmap_mode='r', allow_pickle=False)  # noqa: TID251
    result = view_features(model, frames, block).numpy()
    for old in folder.glob('features_*.npy'):
        old.unlink()
    temporary = path.with_suffix('.partial.npy')
    np.save(temporary, result)
    temporary.rename(path)
