"""The bookkeeping of lockstep: which t0 is open, and when its one reply is complete.  Pure, no
ROS.

A timestep is answered by one Health that names its t0.  When that Health names a plan, the reply
is complete with the plan and the reference of the same id; when it names none, it is a refusal and
complete by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar('T')

NO_PLAN = 0  # Health.plan_id of a refusal
_KEPT = 8  # replies of so many plan ids wait for their Health


@dataclass
class Reply(Generic[T]):
    """The reply to one t0: ``plan`` and ``reference`` are None for a refusal."""

    t0_ns: int
    plan: T | None = None
    reference: T | None = None


@dataclass
class Lockstep(Generic[T]):
    """One open timestep at a time; messages of other timesteps are counted and ignored."""

    t0_ns: int | None = None
    opened_s: float = 0.0
    plan_id: int | None = None
    plans: dict[int, T] = field(default_factory=dict)
    references: dict[int, T] = field(default_factory=dict)
    answered: int = 0
    surplus: int = 0

    def open(self, t0_ns: int, now_s: float) -> None:
        """Start waiting for the reply to ``t0_ns``; ``now_s`` is monotonic."""
        self.t0_ns, self.opened_s, self.plan_id = t0_ns, now_s, None

    def waited_s(self, now_s: float) -> float:
        """How long the open timestep has waited; 0 when none is open."""
        return 0.0 if self.t0_ns is None else now_s - self.opened_s

    def on_health(self, t0_ns: int, plan_id: int) -> Reply[T] | None:
        """A Health about ``t0_ns``; the reply when it is complete."""
        if t0_ns != self.t0_ns or self.plan_id is not None:
            self.surplus += 1
            return None
        self.plan_id = plan_id
        return self._complete()

    def on_plan(self, plan_id: int, plan: T) -> Reply[T] | None:
        """A plan; the reply when it is complete."""
        _keep(self.plans, plan_id, plan)
        return self._complete()

    def on_reference(self, plan_id: int, reference: T) -> Reply[T] | None:
        """A reference; the reply when it is complete."""
        _keep(self.references, plan_id, reference)
        return self._complete()

    def _complete(self) -> Reply[T] | None:
        if self.t0_ns is None or self.plan_id is None:
            return None
        if self.plan_id != NO_PLAN and not (
            self.plan_id in self.plans and self.plan_id in self.references
        ):
            return None
        reply = Reply(
            self.t0_ns,
            self.plans.pop(self.plan_id, None),
            self.references.pop(self.plan_id, None),
        )
        self.t0_ns, self.plan_id = None, None
        self.answered += 1
        return reply


def _keep(store: dict[int, T], key: int, value: T) -> None:
    store[key] = value
    while len(store) > _KEPT:
        store.pop(next(iter(store)))
