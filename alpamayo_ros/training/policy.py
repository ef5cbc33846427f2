"""The model as a batched torch policy for data aggregation, on the model's device.

Features of past timesteps are kept, words are off.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int16, UInt8
from torch import Tensor

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.batches import real_prefix
from alpamayo_ros.training.nearest_frames import nearest_frames
from alpamayo_ros.training.precision import mixed


class BatchPolicy:
    """Drives several simulations at once.

    ``slots`` counts them; :meth:`act` wants one row for each active slot.  ``regression``: the
    denoiser is still one that silences noise and time.  ``who``: the slots of the last answers.
    """

    def __init__(
        self,
        model: VLA,
        slots: int,
        sample_steps: int = 4,
        seed: int = 0,
        regression: bool = False,
    ) -> None:
        self.model, self.steps, self.regression = model.eval(), sample_steps, regression
        self.past: list[deque[tuple[float, Tensor]]] = [deque(maxlen=16) for _ in range(slots)]
        self.who = [0]
        self.generator = torch.Generator(model.device).manual_seed(seed)

    @torch.no_grad()
    def act(
        self,
        slots: Sequence[int],
        time_s: Sequence[float],
        views: UInt8[np.ndarray, 'B V H W 3'],
        speed_mps: Float[np.ndarray, ' B'],
        prefix: Int16[np.ndarray, 'B X'],
    ) -> Float[np.ndarray, 'B P 3']:
        """One plan a slot, from pixels, present speed and the words of the passenger.

        ``prefix``: token ids, -1 on padding.
        """
        self.who = list(slots)
        device, v = self.model.device, views.shape[1]
        with mixed(device):
            images = torch.from_numpy(views).to(device)
            seen = torch.ones(images.shape[:2], device=device)
            features = self.model.encode_timestep(images, seen).float()
        for slot, t, f in zip(slots, time_s, features, strict=True):
            self.past[slot].append((t, f))
        frames = self.model.profile.frames
        times = zip(slots, time_s, strict=True)
        picks = [nearest_frames(self.past[slot], t, frames) for slot, t in times]
        stack = torch.stack([torch.stack([found for found, _, _ in pick]) for pick in picks])
        age, valid = (
            torch.tensor([[one[k] for one in pick] for pick in picks], device=device)
            for k in (1, 2)
        )
        ids, real = real_prefix(torch.from_numpy(prefix).to(device))
        speed = torch.from_numpy(np.asarray(speed_mps, np.float32)).to(device)
        with mixed(device):
            visual = self.model.fuse(
                stack, age[..., None].repeat(1, 1, v), valid[..., None].repeat(1, 1, v)
            )
            plan = self.answer(ids, real, visual, speed)
        return plan.float().cpu().numpy()

    def answer(self, ids: Tensor, real: Tensor, visual: Tensor, speed: Tensor) -> Tensor:
        """Plans (B, P, 3) [m, rad] without words: prefix, its validity, visual tokens, m/s."""
        empty = ids.new_zeros(len(speed), 0)
        hidden = self.model.hidden(ids, real, visual, speed, empty)
        mask = self.model.denoiser_mask(real, real.new_zeros(len(speed), 0))
        return self._plan(hidden, mask, speed)

    def _plan(self, hidden: Tensor, mask: Tensor, speed: Tensor) -> Tensor:
        shape = (len(speed), self.model.profile.trajectory.points, 3)
        if self.regression:
            return self.model.regress(hidden, mask, speed)
        noise = torch.randn(
            (shape[0], 1, *shape[1:]), generator=self.generator, device=speed.device
        )
        return self.model.denoise(hidden, mask, speed, noise, self.steps)[:, 0]
