"""The model as a batched torch policy for data aggregation.

Features of past timesteps are kept, words are off.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from alpamayo_ros.model.prompt import prefix_ids
from alpamayo_ros.model.tokenizer import Tokenizer
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.sensing.navigation import FOLLOW_TEXT


class BatchPolicy:
    """Drives several simulations at once.

    ``slots`` counts them; :meth:`act` wants one row for each active slot.
    """

    def __init__(
        self, model: VLA, tokenizer: Tokenizer, slots: int, ddim_steps: int = 4, seed: int = 0
    ) -> None:
        self.model, self.steps = model.eval(), ddim_steps
        p = model.profile
        self.spacing, self.count = p.frames.spacing_s, p.frames.count
        self.prefix = torch.tensor(prefix_ids(tokenizer, FOLLOW_TEXT, '', p.text.max_prefix))
        self.past: list[deque[tuple[float, Tensor]]] = [deque(maxlen=16) for _ in range(slots)]
        self.generator = torch.Generator().manual_seed(seed)

    @torch.no_grad()
    def act(
        self,
        slots: list[int],
        time_s: float,
        views: UInt8[np.ndarray, 'B V H W 3'],
        speed_mps: Float[np.ndarray, ' B'],
    ) -> Float[np.ndarray, 'B P 3']:
        """One plan a slot, from pixels and present speed alone."""
        with torch.autocast(self.model.device.type, torch.bfloat16):
            features = self.model.encode_timestep(
                torch.from_numpy(views), torch.ones(views.shape[:2])
            ).float()
        for slot, f in zip(slots, features, strict=True):
            self.past[slot].append((time_s, f))
        picks = [self._stack(slot, time_s) for slot in slots]
        stack, age, valid = (torch.stack(column) for column in zip(*picks, strict=True))
        v = views.shape[1]
        speed = torch.from_numpy(np.asarray(speed_mps, np.float32))
        with torch.autocast(self.model.device.type, torch.bfloat16):
            visual = self.model.fuse(
                stack, age[..., None].repeat(1, 1, v), valid[..., None].repeat(1, 1, v)
            )
            prefix = self.prefix.repeat(len(slots), 1)
            empty = torch.zeros(len(slots), 0, dtype=torch.long)
            hidden = self.model.hidden(prefix, torch.ones(prefix.shape), visual, speed, empty)
            shape = (len(slots), 1, self.model.profile.trajectory.points, 3)
            noise = torch.randn(shape, generator=self.generator)
            plan = self.model.denoise(
                hidden, torch.ones(hidden.shape[:2]), speed, noise, self.steps
            )
        return plan[:, 0].float().numpy()

    def _stack(self, slot: int, now_s: float) -> tuple[Tensor, Tensor, Tensor]:
        """Features, ages and existence of the T timesteps nearest to t0 - k * spacing.

        Ties take the older.
        """
        features, ages, valid = [], [], []
        for k in range(self.count):
            wanted = now_s - k * self.spacing
            t, f = min(
                self.past[slot], key=lambda item: (round(abs(item[0] - wanted), 3), item[0])
            )
            ok = abs(t - wanted) <= 0.15
            features.append(f)
            ages.append(now_s - t if ok else 0.0)
            valid.append(1.0 if ok else 0.0)
        return torch.stack(features), torch.tensor(ages), torch.tensor(valid)
