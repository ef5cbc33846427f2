"""What a case of a limit is: a scene with one number in it, and the verdict about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shipped import limits

from alpamayo_ros.limits import Limits, load_limits


@dataclass(frozen=True)
class Threshold:
    """``verdict`` of a scene that holds the number ``x``, which the entry is compared with.

    The scenes lie a share ``margin`` beside the shipped value, the changed entries twice that.
    """

    verdict: Callable[[Limits, float], object]
    margin: float = 0.02

    def check(self, name: str) -> None:
        """The verdict flips between the two scenes, and follows the entry raised and lowered."""
        value = getattr(load_limits(), name)
        self._check(name, value * (1 - self.margin), value * (1 + self.margin), 2 * self.margin)

    def _check(self, name: str, under: float, over: float, change: float) -> None:
        value = getattr(load_limits(), name)
        below, above = self.verdict(limits(), under), self.verdict(limits(), over)
        assert below != above
        raised, lowered = value * (1 + change), value * (1 - change)
        higher = limits().model_copy(update={name: raised})  # a file may not say all of these
        assert self.verdict(higher, over) == below, f'{name} raised'
        assert self.verdict(limits(**{name: lowered}), under) == above, f'{name} lowered'


@dataclass(frozen=True)
class Count:
    """``verdict`` of a scene in which something happened ``n`` times; the entry is one more."""

    verdict: Callable[[Limits, int], object]

    def check(self, name: str) -> None:
        """One less is tolerated, as often is not; an entry one higher or lower moves that."""
        value = getattr(load_limits(), name)
        below, at = self.verdict(limits(), value - 1), self.verdict(limits(), value)
        assert below != at
        assert self.verdict(limits(**{name: value + 1}), value) == below, f'{name} raised'
        assert self.verdict(limits(**{name: value - 1}), value - 1) == at, f'{name} lowered'


@dataclass(frozen=True)
class Follows:
    """``number`` that leaves grows, or falls, with the entry by which it is made."""

    number: Callable[[Limits], float]
    margin: float = 0.1

    def check(self, name: str) -> None:
        """Raised and lowered entries give numbers on both sides of the shipped one's."""
        value = getattr(load_limits(), name)
        low, here, high = (
            self.number(limits(**{name: value * factor}))
            for factor in (1 - self.margin, 1, 1 + self.margin)
        )
        assert low < here < high or low > here > high, (low, here, high)


Case = Threshold | Count | Follows
Cases = Mapping[str, tuple[Case, ...]]
