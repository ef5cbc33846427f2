"""Why timesteps gave no plan: the chains of their faults, counted by cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from alpamayo_ros.causes import Chain, chains, upstream
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.units import NS

# A ring of frames reaches 1.2 s back, and silence is answered again after 0.3 s.
PAST_NS = round(1.6 * NS)
Key = tuple[str, str]
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
    """Fed with the faults of every timestep that gave no plan, in the order of time.

    What is lacking from the past frames is counted below what took them, up to ``PAST_NS`` before.
    """

    timesteps: Counter[Key] = field(default_factory=Counter)
    first: dict[Key, Chain] = field(default_factory=dict)
    _stood_ns: dict[Key, int] = field(default_factory=dict)

    def add(self, faults: Iterable[Fault], t0_ns: int) -> None:
        """One more timestep; an independent second fault counts beside the first."""
        for chain in chains(faults):
            key = _key(chain.cause)
            before = self._before(chain.cause.code, t0_ns)
            if before is None:
                self._stood_ns[key] = t0_ns
                self._keep(key, chain)
            else:
                key = before
                self._add_below(key, chain)
            self.timesteps[key] += 1

    def _before(self, code: Code, t0_ns: int) -> Key | None:
        """The commonest cause that stood in the past that FRAME_HISTORY is about."""
        if code is not Code.FRAME_HISTORY:
            return None
        wanted = {cause.name for cause in upstream(code)}
        since_ns = t0_ns - PAST_NS
        stood = [k for k, at_ns in self._stood_ns.items() if at_ns >= since_ns and k[0] in wanted]
        return max(stood, key=lambda key: self.timesteps[key], default=None)

    def _keep(self, key: Key, chain: Chain) -> None:
        """Keep the first values of a cause with the longest list of what followed."""
        known = self.first.get(key)
        if known is None or len(known.names) < len(chain.names):
            self.first[key] = chain if known is None else Chain(known.cause, chain.consequences)

    def _add_below(self, key: Key, chain: Chain) -> None:
        """Add what is not yet named below a cause."""
        known = self.first[key]
        more = (f for f in (chain.cause, *chain.consequences) if f.code.name not in known.names)
        self.first[key] = Chain(known.cause, (*known.consequences, *more))

    def causes(self) -> tuple[Cause, ...]:
        """The commonest first; those that stood in few timesteps are left out."""
        found = [Cause(self.first[key], count) for key, count in self.timesteps.most_common()]
        most = found[0].timesteps if found else 0
        return tuple(cause for cause in found if cause.timesteps >= TOLD * most)


def _key(fault: Fault) -> Key:
    return fault.code.name, str(fault.values.get('camera', ''))
