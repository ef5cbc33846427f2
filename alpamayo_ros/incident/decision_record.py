"""One call of ``decide`` as the trajectory node tells it: what went in, and what came out.

What changes with every call is in every record; the state of the machine and the configuration
follow from the record before, so they are written where they do not (a person armed, the clock
stepped back, a cap came) and now and then, so that a recording may begin anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from alpamayo_ros.incident import codec
from alpamayo_ros.incident.kinds import misfit
from alpamayo_ros.motion.plan import Plan
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.decision import Decision, Health
from alpamayo_ros.safety.scene import Scene
from alpamayo_ros.safety.state import SafetyState
from alpamayo_ros.types import Proposal

TOPIC, TYPE = 'decision', 'std_msgs/msg/String'
EVERY = 30  # decisions from one whole record to the next: a second of a free-running graph


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """``proposal`` to ``now_ns``: the arguments of ``decide``; ``plan``, ``health``: its answer.

    ``state`` and ``config`` None: those after and of the record before, whose health has the
    sequence one less.
    """

    proposal: Proposal | None
    scene: Scene
    state: SafetyState | None
    config: PlanConfig | None
    now_ns: int
    plan: Plan | None
    health: Health
    standstill: bool

    @property
    def answer(self) -> str:
        """What the decision let out, to the last bit."""
        return codec.encoded((self.plan, self.health, self.standstill))


def answer(decision: Decision) -> str:
    """The same of a decision."""
    return codec.encoded((decision.plan, decision.health, decision.standstill))


class Scribe:
    """Writes the records of one node in turn."""

    def __init__(self) -> None:
        self._after: SafetyState | None = None
        self._config: PlanConfig | None = None
        self._since = 0

    def write(
        self,
        proposal: Proposal | None,
        scene: Scene,
        state: SafetyState,
        config: PlanConfig,
        now_ns: int,
        decision: Decision,
    ) -> str:
        """The record of a call of ``decide``, as text."""
        follows = state is self._after and config is self._config and self._since < EVERY
        self._since = self._since + 1 if follows else 1
        self._after, self._config = decision.state, config
        record = DecisionRecord(
            proposal=proposal,
            scene=scene,
            state=None if follows else state,
            config=None if follows else config,
            now_ns=now_ns,
            plan=decision.plan,
            health=decision.health,
            standstill=decision.standstill,
        )
        return codec.encoded({f.name: getattr(record, f.name) for f in fields(record)})


def read(text: str | bytes) -> DecisionRecord:
    """A record of its text; ValueError where it is none."""
    found = codec.decoded(text)
    names = [f.name for f in fields(DecisionRecord)]
    if not isinstance(found, dict) or list(found) != names:
        raise ValueError('expected the record of a decision')
    record = DecisionRecord(**found)
    if wrong := misfit(record):
        raise ValueError(f'{wrong} holds no value of its type')
    return record
