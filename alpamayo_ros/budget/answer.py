"""Which mode holds 10 Hz: the widest precision and the plainest decoding that do."""

from __future__ import annotations

from dataclasses import dataclass

from alpamayo_ros.budget.cycle import (
    DECODINGS,
    PERIOD_MS,
    WORDS,
    Budget,
    Decoding,
    budget,
    precisions,
)
from alpamayo_ros.budget.devices import Device
from alpamayo_ros.profile import ModelProfile, load_profile, profile_names


@dataclass(frozen=True, slots=True)
class Answer:
    """The mode to run, or the fastest where none holds the rate."""

    budget: Budget
    decoding: Decoding
    words: int

    @property
    def cycle_ms(self) -> float:
        """Expected time of a cycle."""
        return self.budget.cycle_ms(self.decoding, self.words)

    @property
    def holds(self) -> bool:
        """Whether a cycle is expected to end before the next begins, within the memory."""
        return self.budget.fits and self.cycle_ms <= PERIOD_MS

    def __str__(self) -> str:
        mode = f'{self.budget.precision}, {self.decoding.name}'
        if not self.budget.fits:
            return f'no: {self.budget.memory_gb:.1f} GB of weights and cache'
        return f'{mode}: {self.cycle_ms:.0f} ms' if self.holds else f'no: {self.cycle_ms:.0f} ms'


def counted_profiles() -> list[str]:
    """Names of the profiles whose networks are those of this package."""
    return [name for name in profile_names() if not load_profile(name).released]


def modes(profile: ModelProfile, device: Device, words: int = WORDS) -> list[Answer]:
    """Every precision of the device with every decoding, in the order of preference."""
    budgets = [budget(profile, device, name) for name in precisions(device)]
    return [Answer(found, decoding, words) for found in budgets for decoding in DECODINGS]


def answer(profile: ModelProfile, device: Device, words: int = WORDS) -> Answer:
    """The first mode that holds 10 Hz, or the fastest that fits the memory."""
    tried = modes(profile, device, words)
    holding = [mode for mode in tried if mode.holds]
    fitting = [mode for mode in tried if mode.budget.fits] or tried
    return holding[0] if holding else min(fitting, key=lambda mode: mode.cycle_ms)
