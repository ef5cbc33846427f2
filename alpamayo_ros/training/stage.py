"""What the training stages share: optimiser, budget, journal, average and checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from alpamayo_ros.training.budget import Average, Budget, Journal
from alpamayo_ros.training.checkpoint import Resumable

MOST_GRADIENT = 1.0  # norm to which gradients are clipped


class Stage:
    """One stage in ``folder``; a new one goes on where the last call stopped."""

    def __init__(
        self,
        folder: Path,
        title: str,
        module: nn.Module,
        parameters: Sequence[nn.Parameter],
        minutes: float,
        peak: float,
        batch: int,
        averaged: bool = False,
        weight_decay: float = 0.02,
    ) -> None:
        """``module`` is saved and restored whole; only ``parameters`` are trained."""
        self._module, self._parameters, self._batch = module, list(parameters), batch
        self._optimiser = torch.optim.AdamW(
            self._parameters, peak, weight_decay=weight_decay, betas=(0.9, 0.98)
        )
        self._state = Resumable(folder, module, self._optimiser)
        seen = self._state.restore() or {'elapsed': 0.0, 'step': 0}
        self.budget = Budget(minutes, peak, elapsed=seen['elapsed'], step=int(seen['step']))
        self.journal = Journal(folder, title)
        self._average = Average(module) if averaged else None

    def goes_on(self) -> bool:
        """Set the learning rate of the next step; False when the budget is used up."""
        return self.budget.advance(self._optimiser)

    def descend(self, losses: Mapping[str, Tensor], weights: Mapping[str, float]) -> None:
        """One step down the weighted sum of the losses."""
        loss = sum((weight * losses[name] for name, weight in weights.items()), torch.tensor(0.0))
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._parameters, MOST_GRADIENT)
        self._optimiser.step()
        if self._average is not None:
            self._average.update(self._module)
        self.journal.add(**{name: value.item() for name, value in losses.items()})

    def adopt_average(self) -> None:
        """Put the average of the weights into the module."""
        if self._average is not None:
            self._average.copy_to(self._module)

    def save(self, **figures: float) -> None:
        """A line in the journal and a checkpoint."""
        self.journal.write(self.budget, self._batch, **figures)
        self._state.save({'elapsed': self.budget.elapsed, 'step': self.budget.step})
