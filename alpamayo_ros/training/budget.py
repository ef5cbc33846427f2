"""A training stage's budget: minutes of work, warm-up, cosine decay, interruptions."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import torch


class Budget:
    """Counts the seconds a stage has worked and derives the learning rate.

    Time in which it was stopped does not count.  ``elapsed`` comes from the checkpoint when a
    stage resumes, so the cosine goes on where it was.
    """

    def __init__(
        self,
        minutes: float,
        peak: float,
        warm_up_steps: int = 150,
        elapsed: float = 0.0,
        step: int = 0,
    ) -> None:
        self.seconds, self.peak, self.warm_up = minutes * 60, peak, warm_up_steps
        self.step = step
        self._done, self._began = elapsed, time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds of work so far, earlier sessions included."""
        return self._done + time.monotonic() - self._began

    @property
    def fraction(self) -> float:
        """Share of the budget that is used, 0 to 1."""
        return min(1.0, self.elapsed / self.seconds)

    def advance(self, optimiser: torch.optim.Optimizer) -> bool:
        """Set the next step's learning rate; False when the budget is used up."""
        f = self.fraction
        if f >= 1.0:
            return False
        self.step += 1
        rate = (
            self.peak
            * min(1.0, self.step / self.warm_up)
            * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * f)))
        )
        for group in optimiser.param_groups:
            group['lr'] = rate * group.get('scale', 1.0)
        return True


class Journal:
    """Prints a line now and then and says when a checkpoint is due.

    All lines are kept in ``log.jsonl``.
    """

    def __init__(self, folder: Path, title: str, every_s: float = 45.0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self.title, self.every = folder / 'log.jsonl', title, every_s
        self._last = time.monotonic()
        self._sums: dict[str, list[float]] = {}

    def add(self, **values: float) -> None:
        """Collect values; their means are written with the next line."""
        for key, value in values.items():
            self._sums.setdefault(key, []).append(value)

    def due(self) -> bool:
        """True every ``every_s`` seconds."""
        return time.monotonic() - self._last > self.every

    def write(self, budget: Budget, batch: int, **extra: float | str) -> None:
        """Write one line: progress, rate, means and whatever else is given."""
        means = {k: round(sum(v) / len(v), 4) for k, v in self._sums.items()}
        row = {
            'stage': self.title,
            'done': round(budget.fraction, 3),
            'step': budget.step,
            'samples_per_s': round(budget.step * batch / budget.elapsed, 1),
            **means,
            **extra,
        }
        with self.path.open('a') as out:
            out.write(json.dumps(row) + '\n')
        print('  '.join(f'{k} {v}' for k, v in row.items()), flush=True)
        self._sums.clear()
        self._last = time.monotonic()


class Average:
    """Exponential moving average of a module's parameters (decay 0.998, faster at the start)."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.shadow = {k: v.detach().clone() for k, v in module.named_parameters()}
        self.count = 0

    @torch.no_grad()
    def update(self, module: torch.nn.Module) -> None:
        """Move the average towards the present parameters."""
        self.count += 1
        w = min(0.998, (self.count + 1) / (self.count + 20))
        for key, value in module.named_parameters():
            self.shadow[key].lerp_(value, 1 - w)

    @torch.no_grad()
    def copy_to(self, module: torch.nn.Module) -> None:
        """Overwrite a module's parameters with the average."""
        for key, value in module.named_parameters():
            value.copy_(self.shadow[key])
