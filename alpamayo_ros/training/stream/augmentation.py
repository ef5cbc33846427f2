"""What a sample loses and how its pictures change, drawn anew for every batch, on any device."""

from __future__ import annotations

import torch
from torch import Tensor

GAIN, COLOUR, VIEW_GAIN, LEVEL, PIXEL = 0.15, 0.05, 0.05, 10.0, 5.0  # the last two of 255
CAMERA_LOST, FRONT_LOST = 0.06, 0.15  # the second: of those, the front camera too
FLICKER, FLICKERS = 0.12, 0.2
TIMESTEP_LOST, PAST_LOST = 0.05, 0.05


def augment(images: Tensor) -> Tensor:
    """(B, ..., V, H, W, 3) uint8 -> bfloat16 0..255.

    Gain, colour and brightness a sample, a gain a view, noise a pixel.
    """
    inner = images.dim() - 1

    def normal(spread: float, *last: int) -> Tensor:
        shape = (len(images), *[1] * (inner - len(last)), *last)
        return (torch.randn(shape, device=images.device) * spread).to(torch.bfloat16)

    x = images.to(torch.bfloat16) * (1 + normal(GAIN)) * (1 + normal(COLOUR, 3))
    x = x * (1 + normal(VIEW_GAIN, images.shape[-4], 1, 1, 1))
    return x + normal(LEVEL) + torch.randn_like(x) * PIXEL


def lose_pictures(there: Tensor, views: int, front: int) -> Tensor:
    """Timesteps that exist (B, T) -> pictures that are seen (B, T, V).

    A camera is lost for the whole stack or flickers, timesteps are lost, or all of the past.  The
    first ``front`` views, of the camera that nobody drives without, are lost rarely and together,
    and the newest timestep stays.
    """
    b, t = there.shape

    def drawn(share: float, *shape: int) -> Tensor:
        return torch.rand(b, *shape, device=there.device) < share

    lost, flicker = drawn(CAMERA_LOST, 1, views), drawn(FLICKER, t, views) & drawn(FLICKERS, 1, 1)
    lost[:, :, :front] = drawn(CAMERA_LOST * FRONT_LOST, 1, 1)
    flicker[:, :, :front] = False
    past = ~drawn(TIMESTEP_LOST, t) & ~drawn(PAST_LOST, 1)
    past[:, 0] = True
    return there[:, :, None] * ~lost * ~flicker * past[:, :, None]
