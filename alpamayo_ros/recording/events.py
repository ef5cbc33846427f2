"""What a recorder keeps of a running graph: one small record a message, one line of JSON each.

Every record has ``wall_ns``, the monotonic time at which the recorder received it; every other
time is ROS time in nanoseconds.  ``paths`` and poses: metres and radians; lists, so that a line
reads as it was written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, get_args

Row = list[float]


@dataclass(frozen=True, slots=True)
class Ego:
    """Odometry: pose of base_link in odom."""

    wall_ns: int
    stamp_ns: int
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    yaw_rate_rps: float


@dataclass(frozen=True, slots=True)
class Box:
    """Another road user: the middle of its box in odom."""

    id: int
    kind: str
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    length_m: float
    width_m: float


@dataclass(frozen=True, slots=True)
class Objects:
    """Everybody else at one instant; ``source`` says who claims it."""

    wall_ns: int
    stamp_ns: int
    source: str
    boxes: list[Box]


@dataclass(frozen=True, slots=True)
class Route:
    """The way to go: points (x, y) in odom."""

    wall_ns: int
    points: list[Row]


@dataclass(frozen=True, slots=True)
class Image:
    """A compressed picture: where its bytes lie in ``images.bin``."""

    wall_ns: int
    camera: str
    stamp_ns: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the model proposed for t0, in base_link at t0: ``paths`` holds [x, y] rows of points.

    ``costs``: None where a candidate was not evaluated or was rejected.  ``selected`` is -1
    where none became the plan.
    """

    wall_ns: int
    t0_ns: int
    published_ns: int
    status: int
    runtime: str
    profile: str
    manifest_hash: str
    text: str
    faults: list[str]
    pose: Row
    paths: list[list[Row]] = field(default_factory=list)
    costs: list[float | None] = field(default_factory=list)
    selected: int = -1


@dataclass(frozen=True, slots=True)
class Plan:
    """A PlannedTrajectory; ``topic``: trajectory (10 Hz) or reference (20 Hz, without points)."""

    wall_ns: int
    topic: str
    stamp_ns: int
    plan_id: int
    source_t0_ns: int
    published_ns: int
    valid_until_ns: int
    source: int
    state: int
    candidate: int
    pose: Row
    x_m: Row = field(default_factory=list)
    y_m: Row = field(default_factory=list)
    speed_mps: Row = field(default_factory=list)
    acceleration_mps2: float = 0.0
    steering_rad: float = 0.0


@dataclass(frozen=True, slots=True)
class Health:
    """A decision of the safety machine; counters since configuration."""

    wall_ns: int
    stamp_ns: int
    t0_ns: int
    state: int
    reason: str
    faults: list[str]
    messages: list[str]
    plan_age_ms: float | None
    plans: int
    stops: int
    refusals: int
    deadline_misses: int
    worker_restarts: int
    runtime: str


@dataclass(frozen=True, slots=True)
class Timing:
    """Where the time of one cycle went; the stages sum to ``wall_ms``."""

    wall_ns: int
    t0_ns: int
    stages: dict[str, float]
    wall_ms: float
    missed: bool


@dataclass(frozen=True, slots=True)
class Words:
    """The chain of causation of t0 in its parts, tied to a plan."""

    wall_ns: int
    t0_ns: int
    plan_id: int
    perception: str
    situation: str
    rationale: str
    intent: str
    agreement: float | None
    disagreement: str
    counterfactual: str = ''


@dataclass(frozen=True, slots=True)
class Score:
    """What the metrics say of the cycle of t0, by name; None where one is not evaluable."""

    wall_ns: int
    t0_ns: int
    metrics: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Contact:
    """The car touched somebody; ``what``: of which kind.  What follows is shown, not judged."""

    wall_ns: int
    stamp_ns: int
    what: str


Event = (
    Ego | Objects | Route | Image | Candidates | Plan | Health | Timing | Words | Score | Contact
)
KINDS: dict[str, Any] = {kind.__name__.lower(): kind for kind in get_args(Event)}
