"""Per-view tokens of frozen vision for every stored timestep.

Each view on its own, before cross-camera attention.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float16, UInt8
from torch import Tensor

from alpamayo_ros.model.vision.views import ViewEncoder
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.dataset import Dataset
from alpamayo_ros.training.precision import mixed
from alpamayo_ros.training.shards.full_disk import written


class Keeps(NamedTuple):
    """What is kept of a frame in place of its pictures, where (some part of) the views is frozen.

    ``shapes``: of one frame, by the name in a batch; ``encode``: frames (F, V, H, W, 3) to
    (F, shape) each, float16.  ``newest``: those that a batch has of its newest timestep alone.
    """

    shapes: dict[str, tuple[int, ...]]
    encode: Callable[[np.ndarray], dict[str, Tensor]]
    newest: tuple[str, ...] = ()


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
    return _in_blocks(model, _parts(frames, block), model.view_tokens)


@torch.no_grad()
def stem_patches(
    model: VLA, frames: UInt8[np.ndarray, 'F V H W 3'], block: int = 32
) -> Float16[Tensor, 'F V patches width']:
    """What the convolutional stem makes of every picture, ``block`` timesteps at a time."""
    assert isinstance(model.views, ViewEncoder)
    stem = model.views.patches

    def read(images: Tensor) -> Tensor:
        return stem(images.flatten(0, 1)).unflatten(0, images.shape[:2])

    return _in_blocks(model, _parts(frames, block), read)


def _parts(frames: UInt8[np.ndarray, 'F V H W 3'], block: int) -> Iterator[Tensor]:
    """``block`` timesteps at a time in memory, of a file that may be mapped and larger than it."""
    for at in range(0, len(frames), block):
        yield torch.from_numpy(np.array(frames[at : at + block]))


@torch.no_grad()
def _in_blocks(model: VLA, parts: Iterable[Tensor], read: Callable[[Tensor], Tensor]) -> Tensor:
    found = []
    for part in parts:
        with mixed(model.device):
            found.append(read(part.to(model.device)).to('cpu', torch.float16))
    return torch.cat(found)


def kept(views: str, model: VLA) -> Keeps | None:
    """What a ring keeps of a frame: ``frozen`` views, those of which ``blocks`` learn, or all."""
    return {'frozen': kept_tokens, 'blocks': kept_patches}.get(views, lambda _: None)(model)


def kept_tokens(model: VLA) -> Keeps:
    """What is kept where the views are frozen."""
    return Keeps(
        {'tokens': (model.profile.visual_tokens, model.profile.vision.width)},
        lambda frames: {'tokens': view_features(model, frames)},
    )


def kept_patches(model: VLA) -> Keeps:
    """What is kept where their convolutional stem is: patches, and tokens as views see them now.

    Tokens are those of past timesteps; views that learn leave them behind until the frame is
    drawn as the newest (``Ring.renew``).
    """
    p = model.profile
    assert isinstance(model.views, ViewEncoder)
    patches = (len(p.views), model.views.position.shape[1], p.vision.width)

    def encode(frames: np.ndarray) -> dict[str, Tensor]:
        found = stem_patches(model, frames)
        read = lambda part: model.patch_tokens(part.float())  # noqa: E731
        return {'patches': found, 'tokens': _in_blocks(model, found.split(32), read)}

    shapes = {'patches': patches, 'tokens': (p.visual_tokens, p.vision.width)}
    return Keeps(shapes, encode, ('patches',))


def _encode_shard(model: VLA, folder: Path, path: Path, block: int) -> None:
    frames = np.load(folder / 'frames.npy', mmap_mode='r', allow_pickle=False)  # noqa: TID251
    result = view_features(model, frames, block).numpy()
    for old in folder.glob('features_*.npy'):
        old.unlink()
    temporary = path.with_suffix('.partial.npy')
    with written(temporary):
        np.save(temporary, result)
    temporary.rename(path)
