"""Lockstep on the side of the source: which step is open, and when it is answered.  Pure, no ROS.

Every node says that it has taken in the step; camera_sync adds the timesteps (t0) that came of it.
Each t0 is answered by one Health.  When that Health names a plan, the reply is complete with the
plan and the reference of the same id; when it names none, it is a refusal and complete by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar('T')

NO_PLAN = 0  # Health.plan_id of a refusal
_KEPT = 8  # messages of so many answered timesteps are remembered


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """The reply to one t0: ``plan`` and ``reference`` are None for a refusal."""

    t0_ns: int
    plan: T | None = None
    reference: T | None = None


@dataclass
class Lockstep(Generic[T]):
    """One open step at a time.  ``surplus``: a second Health for one t0, which is ignored.

    ``nodes``: who has to say that a step is taken in; what they say may come in any order.
    ``plans``: whether a plan and its reference belong to the reply.
    """

    nodes: frozenset[str] = frozenset()
    plans: bool = True
    sequence: int | None = None
    answered: int = 0
    surplus: int = 0
    _opened_s: float = 0.0
    _done: set[str] = field(default_factory=set)
    _t0s: list[int] = field(default_factory=list)
    _health: dict[int, int] = field(default_factory=dict)
    _plans: dict[int, T] = field(default_factory=dict)
    _references: dict[int, T] = field(default_factory=dict)

    def open(self, sequence: int, now_s: float) -> None:
        """Start waiting for the answer to a step; ``now_s`` is monotonic."""
        self.sequence, self._opened_s = sequence, now_s
        self._done, self._t0s = set(), []

    def waited_s(self, now_s: float) -> float:
        """How long the open step has waited; 0 when none is open."""
        return 0.0 if self.sequence is None else now_s - self._opened_s

    def on_done(self, sequence: int, node: str, t0s: Iterable[int] = ()) -> None:
        """A node has taken in a step; ``t0s`` came of it."""
        if sequence == self.sequence and node not in self._done:
            self._done.add(node)
            self._t0s += t0s

    def on_health(self, t0_ns: int, plan_id: int) -> None:
        """A Health about ``t0_ns``; those about no timestep (0) do not count."""
        if t0_ns in self._health:
            self.surplus += 1
        elif t0_ns:
            _keep(self._health, t0_ns, plan_id)

    def on_plan(self, plan_id: int, plan: T) -> None:
        """A plan."""
        _keep(self._plans, plan_id, plan)

    def on_reference(self, plan_id: int, reference: T) -> None:
        """A reference."""
        _keep(self._references, plan_id, reference)

    def take(self) -> list[Reply[T]] | None:
        """The replies of the open step, oldest first, once it is answered; that closes it."""
        if self.sequence is None or self.missing():
            return None
        replies = []
        for t0_ns in self._t0s:
            plan_id = self._health[t0_ns]
            plan, reference = self._plans.get(plan_id), self._references.get(plan_id)
            replies.append(Reply(t0_ns, plan, reference))
        self.sequence = None
        self.answered += len(replies)
        return replies

    def missing(self) -> list[str]:
        """What the open step waits for, in words; empty when it is answered."""
        out = [f'{node} has not taken in the step' for node in sorted(self.nodes - self._done)]
        for t0_ns in self._t0s:
            plan_id = self._health.get(t0_ns)
            if plan_id is None:
                out.append(f'no Health about t0 = {t0_ns} ns')
            elif plan_id != NO_PLAN and self.plans:
                lacks = [('plan', self._plans), ('reference', self._references)]
                out += [f'no {what} {plan_id}' for what, store in lacks if plan_id not in store]
        return out


def _keep(store: dict[int, T], key: int, value: T) -> None:
    store[key] = value
    while len(store) > _KEPT:
        store.pop(next(iter(store)))
