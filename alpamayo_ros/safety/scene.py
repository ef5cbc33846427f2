"""Scene: what ``decide`` knows of the world and of its own machinery besides the proposal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from alpamayo_ros.faults import Fault
from alpamayo_ros.types import EgoState, TrackedObject


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """One camera as the sync sees it; periods and rates against the nominal period."""

    name: str
    silent_periods: float = 0.0
    rate_ratio: float = 1.0
    mandatory: bool = False
    maskable: bool = False
    frozen: bool = False
    implausible: bool = False


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """The model's child process: its state and its latest cycle times in seconds.

    ``failures`` counts failed cycles in a row, ``respawns`` deaths within ``respawn_window_s``.
    """

    state: Literal['starting', 'ready', 'absent'] = 'ready'
    failures: int = 0
    respawns: int = 0
    killed: bool = False
    last_cycle_s: float | None = None
    p99_cycle_s: float | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """The world at one call of ``decide``.

    ``ego``: state at the proposal's t0 (with no proposal: the newest), None when unknown.
    ``ego_now``: the newest state, None when there never was one.  ``objects`` in base_link at t0;
    None means that nobody looks for objects, an empty tuple that there are none.
    ``faults``: found upstream (sync, egomotion, navigation, planner).  ``observed_ns``: when the
    inputs were looked at, the instant at which their ages are judged; None means now.  In lockstep
    it is t0, since the world stands still until the reply.
    """

    ego: EgoState | None
    ego_now: EgoState | None
    objects: tuple[TrackedObject, ...] | None = None
    faults: tuple[Fault, ...] = ()
    model: ModelStatus = field(default_factory=ModelStatus)
    cameras: tuple[CameraStatus, ...] = ()
    frame_age_s: float | None = None
    observed_ns: int | None = None
