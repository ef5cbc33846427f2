"""A clip as training sees it, whatever it is stored in, and who provides clips.

Another data set is one class with ``clips`` (docs/clips.md, "Another data set").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8
from pydantic import BaseModel, ConfigDict, Field

from alpamayo_ros.sensing.rig import Rig
from alpamayo_ros.types import EgoState
from alpamayo_ros.units import NS

SPACING_NS = NS // 10  # notes and pictures come at 10 Hz
SHORTEST_S, LONGEST_S = 8.0, 30.0
FUTURE_S = 6.4  # of a stored trajectory: the longest horizon of a profile (64 points of 0.1 s)

Picture = bytes | UInt8[np.ndarray, 'h w 3']  # JPEG or PNG as recorded, or RGB
Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e7, le=1e7)]
Pose = tuple[Finite, Finite, Finite]  # x [m], y [m], heading [rad]
Text = Annotated[str, Field(max_length=2000)]


@dataclass(frozen=True, slots=True)
class Pictures:
    """What the cameras of one instant show, by the names of the rig; a lost camera is absent."""

    stamp_ns: int
    by_camera: dict[str, Picture]


class Strict(BaseModel):
    """What is read from a file and never changed; an unknown key is an error."""

    model_config = ConfigDict(extra='forbid', frozen=True)


class Line(Strict):
    """A line of the map in base_link at the note's t0 [m], in driving direction."""

    kind: str
    points: tuple[tuple[Finite, Finite], ...]


class Cause(Strict):
    """What binds the plan by the truth; ``things``: road users or signals, and not the road.

    ``effect_m``: how far the plan moves without it; ``hidden``: no picture shows it.
    """

    name: str
    effect_m: Finite
    hidden: bool = False
    things: bool = False


class Note(Strict):
    """What is written about one instant.

    ``words``: the chain of causation, a line a part, '' for none.  ``facts``: truth by subject
    (``metrics.language.coc_facts``) as the pictures show it, ``hidden``: facts of what is there
    and no picture shows, ``values``: truth of each slot of the grammar, ``dense``: columns of
    ``training.truth``; None where nobody knows it.  ``trajectory``: what was driven;
    ``plan``: what the driver whose words these are meant to drive.  Both in base_link at
    ``t0_ns``, a point every 0.1 s, the first at t0 + 0.1 s; cut off at the clip's end, empty where
    nobody said it.
    """

    t0_ns: int = Field(ge=0)
    speed_mps: Finite = 0.0
    trajectory: tuple[Pose, ...] = ()
    plan: tuple[Pose, ...] = ()
    instruction: Text = ''
    prompt: Text = ''
    words: Text = ''
    lines: tuple[Line, ...] = ()
    facts: dict[str, tuple[str, ...]] | None = None
    hidden: dict[str, tuple[str, ...]] | None = None
    values: dict[str, str] | None = None
    cause: Cause | None = None
    dense: tuple[Finite, ...] | None = None


class Clip(Protocol):
    """Some seconds of driving; ``pictures`` may be asked for again and begins anew.

    ``states``: the car in odom, in the order of time, at 5 Hz or more (``replay.needs``).
    ``notes``: at most one an instant of ``pictures``, with its stamp; none is allowed.
    """

    @property
    def name(self) -> str:
        """What the clip is called in its data set."""

    @property
    def rig(self) -> Rig:
        """Cameras with intrinsics and mounts."""

    @property
    def states(self) -> Sequence[EgoState]:
        """Where the car was."""

    @property
    def notes(self) -> Sequence[Note]:
        """What is written about it."""

    def pictures(self) -> Iterator[Pictures]:
        """At 10 Hz, one after the other."""


@dataclass(frozen=True, slots=True)
class UnreadableClip:
    """A clip of which nothing can be had: whatever is asked of it raises ``why``."""

    name: str
    why: Exception

    @property
    def rig(self) -> Rig:
        """Raises."""
        raise self.why

    @property
    def states(self) -> Sequence[EgoState]:
        """Raises."""
        raise self.why

    @property
    def notes(self) -> Sequence[Note]:
        """Raises."""
        raise self.why

    def pictures(self) -> Iterator[Pictures]:
        """Raises."""
        raise self.why


@runtime_checkable
class ClipSource(Protocol):
    """A data set: made with its path, it gives one clip after the other."""

    def clips(self) -> Iterator[Clip]:
        """The clips, each read only when it is asked for something."""
