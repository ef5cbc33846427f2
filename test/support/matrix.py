"""The rows of the fault matrix that a simulated drive shows, and what each must lead to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from invariants import Expected, Seen, rss_mb

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.safety.state import Mode
from alpamayo_ros.simulation.drive.drive import Drive
from alpamayo_ros.simulation.drive.planners import StraightPlanner
from alpamayo_ros.simulation.scenario import Scenario, load_scenario, with_faults

START_S, STOP_S, END_S = 3.0, 4.0, 6.5
BEGIN_MPS = 10.0  # it brakes until it is armed; then it drives at a steady 5 m/s
SENSING = 'alpamayo_ros.sensing.'
STAMPS = ((f'{SENSING}synchronisation.sync.check_stamp', None),)
WATCH = ((f'{SENSING}silence.CameraWatch.faults', []),)
CLOCKS = (
    (f'{SENSING}stamps.ClockWatch.check', None),
    ('alpamayo_ros.safety.monitors.clock_fault', []),
)
GAPS = (
    (f'{SENSING}egomotion.EgoBuffer.gap_fault', None),
    (f'{SENSING}egomotion.EgoBuffer._uncovered', Fault(Code.EGO_HISTORY)),
)
UPSTREAM = (('alpamayo_ros.safety.scene.known', ()),)
LOST = frozenset({Code.CAM_MANDATORY_LOST, Code.MODEL_LATE})
HEADER = frozenset(
    {Code.IMG_DECODE, Code.IMG_ENCODING, Code.IMG_HEADER, Code.IMG_SIZE, Code.IMG_TOO_LARGE}
)  # where a wrong bit hits the first bytes
NO_PLAN = frozenset({Code.MODEL_LATE})
Off = Sequence[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Row:
    """``off``: functions, and what they return where the row's mechanism is switched off."""

    expected: Expected
    off: Off


ROWS = {
    'F01': Row(Expected(Code.CAM_STALE, 0.1, LOST, Mode.FALLBACK), STAMPS),
    'F02': Row(Expected(Code.CAM_MANDATORY_LOST, 0.5, LOST, Mode.FALLBACK), WATCH),
    'F03': Row(Expected(Code.CAM_MANDATORY_LOST, 0.5, LOST, Mode.FALLBACK), WATCH),
    'F04': Row(Expected(Code.CAMS_LOST, 0.3, LOST, Mode.FALLBACK), WATCH),
    'F06': Row(
        Expected(Code.CAM_FROZEN, 0.5, LOST, Mode.FALLBACK),
        ((f'{SENSING}plausibility.CameraPlausibility.check_payload', None),),
    ),
    'F07': Row(
        Expected(Code.CAM_IMPLAUSIBLE, 0.3, LOST, Mode.FALLBACK),
        ((f'{SENSING}plausibility.CameraPlausibility.check_kind', None),),
    ),
    'F08': Row(
        Expected(Code.IMG_TRUNCATED, 0.1, LOST, Mode.FALLBACK),
        ((f'{SENSING}image_gate._gate_jpeg', None),),
    ),
    'F09': Row(
        Expected(Code.IMG_TORN, 0.2, LOST | HEADER, Mode.FALLBACK),
        ((f'{SENSING}pictures.jpeg.damage', None), (f'{SENSING}pictures.torn.torn', 0.0)),
    ),
    'F14': Row(
        Expected(Code.SKEW, 0.1, NO_PLAN, Mode.FALLBACK),
        ((f'{SENSING}synchronisation.synced_set.Selection.form', Fault(Code.SET_INCOMPLETE)),),
    ),
    'F16': Row(Expected(Code.CLOCK_BACK, 0.1, frozenset(), Mode.INIT), CLOCKS),
    'F17': Row(Expected(Code.CLOCK_FORWARD, 0.1, NO_PLAN), CLOCKS),
    'F18': Row(Expected(Code.STAMP_LATE, 1.0, LOST), STAMPS),
    'F19': Row(Expected(Code.STAMP_DUP, 0.1), STAMPS),
    'F20': Row(Expected(Code.STAMP_INVALID, 0.1, LOST, Mode.FALLBACK), STAMPS),
    'F22': Row(
        Expected(Code.ODOM_NAN, 0.1, frozenset({Code.ODOM_GAP, *NO_PLAN}), Mode.FALLBACK),
        ((f'{SENSING}odometry.impossible', None),),
    ),
    'F23': Row(Expected(Code.ODOM_GAP, 0.2, NO_PLAN, Mode.FALLBACK), GAPS),
    'F24': Row(
        Expected(Code.ODOM_JUMP, 0.1, NO_PLAN, Mode.FALLBACK),
        ((f'{SENSING}odometry.OdometryWatch._jump', None),),
    ),
    'F34': Row(Expected(Code.MODEL_FAILING, 0.1, NO_PLAN, Mode.FALLBACK), UPSTREAM),
    'F36': Row(Expected(Code.MODEL_KILLED, 0.1, NO_PLAN, Mode.FALLBACK), UPSTREAM),
    'F50': Row(Expected(Code.MODEL_ABSENT, 0.1, NO_PLAN, Mode.FALLBACK), UPSTREAM),
}


def scenario(faults: str) -> Scenario:
    """A straight empty road, with faults."""
    road = load_scenario('winding_road')
    calm = road.model_copy(
        update={
            'start': road.start.model_copy(update={'speed_mps': BEGIN_MPS}),
            'road': road.road.model_copy(update={'straight': True}),
            'traffic': road.traffic.model_copy(
                update={'oncoming': False, 'stopped_car_probability': 0.0}
            ),
        }
    )
    return with_faults(calm, faults)


def watch(drive: Drive) -> Seen:
    """One cycle of a drive, seen from outside."""
    now_ns, elapsed_s = drive.sensors.now_ns, drive.sim.outcome.duration_s
    decision = drive.step().decision
    said = (*decision.health.faults, *drive.sensors.said)
    codes = frozenset(fault.code for fault in said)
    return Seen(elapsed_s, now_ns, codes, decision.state.mode, decision.plan, rss_mb())


def run(row: str) -> list[Seen]:
    """A drive with the row from 3 s to 4 s, watched until 6.5 s."""
    text = f'{row}@{START_S:g}s:{STOP_S - START_S:g}s'
    drive = Drive(scenario(text), 3, StraightPlanner(load_profile('nano')))
    try:
        return [watch(drive) for _ in range(round(END_S * 10))]
    finally:
        drive.close()
