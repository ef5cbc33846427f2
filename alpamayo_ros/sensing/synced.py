"""What goes into camera synchronisation and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.sensing.stamps import MS, StampLimits


@dataclass(frozen=True, slots=True)
class SyncCamera:
    """How one camera takes part.  ``required``: no set without it (mandatory, or not maskable).

    ``watched`` False: known not to be there, so that its silence is no fault (evaluation only).
    """

    name: str
    period_ns: int
    policy: Literal['hold', 'mask', 'reject'] = 'hold'
    required: bool = False
    watched: bool = True


@dataclass(frozen=True, slots=True)
class SyncLimits:
    """Limits of FAULTS.md section 1.

    ``hold_periods``, ``hold_required_periods``: how old a held frame may be, in periods.  A camera
    that may be masked is masked after one period, one that may not is held until it is silent.
    """

    stamps: StampLimits = StampLimits()
    set_period_ns: int = 100 * MS
    skew_warn_ns: int = 10 * MS
    skew_ns: int = 50 * MS
    wait_ns: int = 50 * MS
    hold_periods: float = 1.5
    hold_required_periods: float = 2.5


@dataclass(frozen=True, slots=True)
class SyncedSet:
    """One timestep, camera by camera in the configured order.

    ``stamps_ns`` is the true capture time (t0 where there is none), ``held`` marks a frame of an
    earlier timestep, ``skew_ns`` is the spread of the frames that are not held.  A lost one is
    a Fault whose value ``t0_ns`` is exact, an int.
    """

    t0_ns: int
    stamps_ns: tuple[int, ...]
    payloads: tuple[Any, ...]
    valid: tuple[bool, ...]
    held: tuple[bool, ...]
    skew_ns: int
    faults: tuple[Fault, ...] = ()


def skew_fault(code: Code, t0: int, skew_ns: int, limit_ns: int, camera: str = '') -> Fault:
    """SKEW or SKEW_WARN of the timestep at ``t0``."""
    values: dict[str, float | str] = {'skew_ns': float(skew_ns), 'limit_ns': float(limit_ns)}
    values |= {'t0_ns': t0} | ({'camera': camera} if camera else {})
    return Fault(code, f'{camera or "cameras"} {skew_ns / 1e6:.1f} ms apart at {t0} ns', values)
