"""The action expert: ten Euler steps from noise to actions, behind the words' keys and values."""

from __future__ import annotations

import copy
from typing import Any

import torch

from alpamayo_ros.runtime.nvidia.child.language import Prefix


class Expert:
    """The vendor's expert; all candidates of one text look at one copy of its cache each."""

    def __init__(self, model: Any, steps: int) -> None:
        self._model, self._steps = model, steps

    def actions(
        self, noise: torch.Tensor, prefix: Prefix, free: Prefix | None, weight: float
    ) -> torch.Tensor:
        """Normalised acceleration and curvature (K, P, 2) from unit normal noise (K, P, 2).

        ``free``: the prefix without the instruction, for guidance by ``weight`` (Guided Flows,
        arXiv 2311.13443, equation 6).
        """
        told = _Field(self._model, prefix, *noise.shape[:2])
        alone = None if free is None else _Field(self._model, free, *noise.shape[:2])
        times = torch.linspace(0.0, 1.0, self._steps + 1, device=noise.device)
        x = noise
        for begin, end in zip(times[:-1], times[1:], strict=True):
            velocity = told(x, begin)
            if alone is not None:
                velocity = (1 - weight) * alone(x, begin) + weight * velocity
            x = x + (end - begin) * velocity
        return x


class _Field:
    """Velocity of the flow at (x, t) for ``many`` candidates of ``points`` actions."""

    def __init__(self, model: Any, prefix: Prefix, many: int, points: int) -> None:
        self._model, self._points = model, points
        rows = len(prefix.ends)
        self._cache = copy.deepcopy(prefix.cache)
        if many != rows:
            self._cache.batch_repeat_interleave(many // rows)
        ends = prefix.ends.repeat_interleave(many // rows)
        delta = prefix.delta.repeat_interleave(many // len(prefix.delta), 0)
        self._length = self._cache.get_seq_length()
        places = torch.arange(points, device=ends.device)[None] + (ends[:, None] + delta)
        self._places = places.expand(3, many, points)
        column = torch.arange(self._length + points, device=ends.device)[None]
        unused = (column >= ends[:, None]) & (column < self._length)
        mask = torch.zeros(many, 1, points, self._length + points, device=ends.device)
        least = torch.finfo(torch.float32).min  # as the vendor fills it, which is not -inf
        self._mask = mask.masked_fill_(unused[:, None, None, :], least)

    def __call__(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        rows = self._model.action_in_proj(x, t.view(1, 1, 1).expand(len(x), 1, 1))
        out = self._model.expert(
            inputs_embeds=rows,
            position_ids=self._places,
            past_key_values=self._cache,
            attention_mask=self._mask,
            use_cache=True,
            is_causal=False,
        )
        self._cache.crop(self._length)
        velocity: torch.Tensor = self._model.action_out_proj(
            out.last_hidden_state[:, -self._points :]
        )
        return velocity
