"""What a scenario file may say about its scripted actors, one model a kind.

Arcs (``..._m``) run along the ego's lane; offsets are measured from its centre, positive to the
left.  A ``Knob`` is a pair (at severity 0, at severity 1): the scenario's severity times the
actor's ``severity_scale`` picks the value in between; a single number does not change.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Knob = tuple[float, float] | float
Vehicle = Literal['car', 'van', 'truck', 'emergency_car']
Side = Literal['left', 'right']
FARTHEST = 10_000.0  # no number of an actor is larger: metres, seconds or m/s


def knob(value: Knob, severity: float) -> float:
    """The value at ``severity`` 0..1; a single number is the same at all of them."""
    if not isinstance(value, tuple):
        return value
    return value[0] + (value[1] - value[0]) * severity


class ActorModel(BaseModel):
    """What every kind has.  ``severity_scale``: how much of the scenario's severity it takes."""

    model_config = ConfigDict(extra='forbid', frozen=True)

    severity_scale: float = Field(default=1.0, ge=0, le=2)

    @model_validator(mode='after')
    def _within_reach(self) -> ActorModel:
        for name, value in self:
            for number in value if isinstance(value, tuple) else (value,):
                if isinstance(number, int | float) and not abs(number) <= FARTHEST:
                    raise ValueError(f'{name}: {number} is beyond {FARTHEST:.0f}')
        return self


class BrakingLeader(ActorModel):
    """A vehicle ahead that cruises and then brakes hard.

    It sets off with the ego and brakes once the ego has driven ``trigger_m``; it stands or crawls
    at ``to_mps`` for ``hold_s`` and drives on.  ``gap_m``: bumper to bumper at the start.
    ``lamps``: whether its brake lights work.  ``again_m``: it does all that again after so many
    metres more of the ego (0: once).
    """

    kind: Literal['braking_leader']
    vehicle: Vehicle = 'car'
    gap_m: float = Field(default=15.0, ge=5, le=80)
    speed_mps: float = Field(default=7.0, gt=0, le=30)
    trigger_m: float = Field(default=50.0, ge=0)
    brake_mps2: Knob = (3.0, 7.0)
    to_mps: float = Field(default=0.0, ge=0)
    hold_s: float = Field(default=4.0, ge=0)
    lamps: bool = True
    again_m: float = Field(default=0.0, ge=0)


class Stopped(ActorModel):
    """A vehicle that stands at ``at_m`` (rear bumper).

    With ``bend``: just behind the sharpest bend within 80 m after ``at_m``.  ``occluder_m``: a van
    parked on the verge inside the bend, so far before it, hides it.  ``turned_rad``: it stands
    askew.  ``count``: so many behind each other, a queue.  ``detour_m``: the shift by which a good
    driver passes it, 0: it cannot be passed.
    """

    kind: Literal['stopped']
    vehicle: Vehicle = 'car'
    at_m: float = Field(gt=0)
    bend: bool = False
    offset_m: Knob = 0.0
    turned_rad: float = Field(default=0.0, ge=-3.2, le=3.2)
    lamps: bool = False
    count: int = Field(default=1, ge=1, le=5)
    occluder_m: Knob | None = None
    detour_m: float = Field(default=0.0, ge=-6, le=6)


class CutIn(ActorModel):
    """A vehicle that pulls into the ego's lane before it.

    From the left: it overtakes the ego once that has driven ``trigger_m`` and pulls in ``gap_m``
    before its bumper.  From the right: parked at ``at_m``, it pulls out when the ego is
    ``ahead_s`` away.  The move takes ``move_s``; then it drives ``then_mps`` (braking at
    ``brake_mps2``).  ``returns`` False: an overtaker that stays in the other lane.
    """

    kind: Literal['cut_in']
    vehicle: Vehicle = 'car'
    side: Side = 'left'
    trigger_m: float = Field(default=30.0, ge=0)
    at_m: float = Field(default=80.0, gt=0)
    lane_m: float = Field(default=3.5, gt=0, le=8)
    faster_mps: float = Field(default=4.0, gt=0, le=15)
    gap_m: Knob = (10.0, 4.0)
    ahead_s: Knob = (5.0, 3.0)
    move_s: Knob = (3.0, 1.8)
    then_mps: float = Field(default=5.0, ge=0)
    brake_mps2: float = Field(default=1.5, gt=0, le=8)
    returns: bool = True


class Crossing(ActorModel):
    """Somebody crosses at ``at_m`` from the ``side`` when the ego is ``ahead_s`` away.

    ``from_m``: where it waits, metres beside the lane centre; ``stays``: there it remains;
    ``halts_s``: it stands in the lane for so long; ``turns_back``: from there it goes back;
    ``angle_rad``: against the shortest way (positive: with the ego).  ``occluder``: a vehicle
    parked before it on its side.  ``count``: so many, ``apart_m`` behind each other.
    """

    kind: Literal['crossing']
    who: Literal['pedestrian', 'cyclist'] = 'pedestrian'
    side: Side = 'right'
    at_m: float = Field(gt=0)
    from_m: float = Field(default=4.0, gt=0, le=20)
    speed_mps: float = Field(default=1.4, gt=0, le=8)
    ahead_s: Knob = (3.5, 2.3)
    stays: bool = False
    halts_s: float = Field(default=0.0, ge=0)
    turns_back: bool = False
    angle_rad: float = Field(default=0.0, ge=-1.2, le=1.2)
    occluder: Literal['', 'car', 'van', 'truck'] = ''
    occluder_m: float = Field(default=1.5, ge=0.5, le=20)
    count: int = Field(default=1, ge=1, le=6)
    apart_m: float = Field(default=1.0, gt=0)

    @model_validator(mode='after')
    def _walks(self) -> Crossing:
        if self.stays and (self.halts_s or self.turns_back):
            raise ValueError('stays: who stays at the roadside neither halts_s nor turns_back')
        return self


class Debris(ActorModel):
    """Things on the road at ``at_m``.

    ``count`` in a row, ``apart_m`` along and ``aside_m`` across.  ``rolls_mps``: it crosses the
    road from the left (positive: to the right) once the ego is ``ahead_s`` away.  ``detour_m``: as
    for ``stopped``; 0: it cannot be passed.
    """

    kind: Literal['debris']
    what: Literal['debris_box', 'debris_tyre'] = 'debris_box'
    at_m: float = Field(gt=0)
    offset_m: Knob = 0.0
    count: int = Field(default=1, ge=1, le=8)
    apart_m: float = Field(default=1.0, ge=0)
    aside_m: float = 0.0
    rolls_mps: float = Field(default=0.0, ge=-5, le=5)
    ahead_s: Knob = (4.0, 3.0)
    detour_m: float = Field(default=0.0, ge=-6, le=6)


class LostLoad(ActorModel):
    """A truck ahead loses its load once the ego has driven ``trigger_m``.

    The load slides on, braking at ``slides_mps2``, and stays lying ``offset_m`` beside the lane
    centre.  ``detour_m``: as for ``stopped``.
    """

    kind: Literal['lost_load']
    vehicle: Vehicle = 'truck'
    what: Literal['debris_box', 'debris_tyre'] = 'debris_box'
    gap_m: float = Field(default=18.0, ge=5, le=80)
    speed_mps: float = Field(default=6.0, gt=0, le=30)
    trigger_m: float = Field(default=50.0, ge=0)
    offset_m: float = Field(default=0.0, ge=-3, le=3)
    slides_mps2: Knob = (4.0, 7.0)
    detour_m: float = Field(default=0.0, ge=-6, le=6)


class OncomingActor(ActorModel):
    """A vehicle that comes towards the ego.

    It is ``meet_m`` ahead of the ego when that has driven ``trigger_m``, with its middle
    ``offset_m`` left of the ego's lane centre (3.5: in its own lane).  ``detour_m``: how far a
    good driver moves over while it passes.
    """

    kind: Literal['oncoming']
    vehicle: Vehicle = 'car'
    trigger_m: float = Field(default=30.0, ge=0)
    meet_m: float = Field(default=80.0, gt=0)
    speed_mps: float = Field(default=8.0, gt=0, le=30)
    offset_m: Knob = 3.5
    detour_m: float = Field(default=0.0, ge=-6, le=6)


AnyActor = Annotated[
    BrakingLeader | Stopped | CutIn | Crossing | Debris | LostLoad | OncomingActor,
    Field(discriminator='kind'),
]
