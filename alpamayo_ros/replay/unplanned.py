"""Why timesteps gave no plan: the chains of their faults, counted by cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from alpamayo_ros.causes import Chain, chains
from alpamayo_ros.faults import Fault

TOLD = 0.1  # of the commonest cause's timesteps: rarer ones are left to the table of faults


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause with what followed from it, and in how many timesteps without a plan it stood."""

    chain: Chain
    timesteps: int

    def as_dict(self) -> dict[str, Any]:
        """As summary.json holds it."""
        fault = self.chain.cause
        return {
            'code': fault.code.name,
            'text': str(fault),
            'timesteps': self.timesteps,
            'consequences': list(self.chain.names),
        }


@dataclass(slots=True)
class Unplanned:
    """Fed with the faults of every timestep that gave no plan."""

    timesteps: Counter[tuple[str, str]] = field(default_factory=Counter)
    first: dict[tuple[str, str], Chain] = field(default_factory=dict)

    def add(self, faults: Iterable[Fault]) -> None:
        """One more timestep; an independent second fault counts beside the first."""
        for chain in chains(faults):
            fault = chain.cause
            key = (fault.code.name, str(fault.values.get('camera', '')))
            self.timesteps[key] += 1
            known = self.first.get(key)
            if known is None or len(known.names) < len(chain.names):
                self.first[key] = (
                    chain if known is None else Chain(known.cause, chain.consequences)
                )

    def causes(self) -> tuple[Cause, ...]:
        """The commonest first; those that stood in few timesteps are left out."""
        found = [Cause(self.first[key], count) for key, count in self.timesteps.most_common()]
        most = found[0].timesteps if found else 0
        return tuple(cause for cause in found if cause.timesteps >= TOLD * most)
