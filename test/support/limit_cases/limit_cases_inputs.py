"""A case for each limit of ages, rates, stamps: through the sync, its watch, the monitors."""

from __future__ import annotations

from camera_streams import MS, drive, make_sync, stream
from drives import SECOND, VEHICLE, ego
from limit_case import Cases, Follows, Threshold
from limit_cases_plans import FUTURE, PROFILE

from alpamayo_ros.faults import Fault
from alpamayo_ros.limits import Limits
from alpamayo_ros.safety.config import PlanConfig
from alpamayo_ros.safety.monitors import watch
from alpamayo_ros.safety.scene import CYCLES, Scene, build_scene
from alpamayo_ros.safety.state import Mode, SafetyState
from alpamayo_ros.sensing.silence import CameraWatch
from alpamayo_ros.simulation.inject import apply, shift_stamp
from alpamayo_ros.types import EgoState

PERIOD_NS = 100 * MS
NOW_NS = 1000 * SECOND


def codes(faults: list[Fault]) -> set[str]:
    """Their names."""
    return {fault.code.name for fault in faults}


def seen(limits: Limits, scene: Scene, now_ns: int = 0) -> set[str]:
    """What ``decide`` finds wrong with a scene."""
    config = PlanConfig(PROFILE, limits, VEHICLE)
    return codes(watch(scene, SafetyState(Mode.ACTIVE), config, now_ns, proposed=True))


def frame_age(limits: Limits, age_s: float) -> set[str]:
    """Pictures of this age at the start of the model."""
    return seen(limits, Scene(None, ego(), frame_age_s=age_s))


def odometry_age(limits: Limits, age_s: float) -> set[str]:
    """Odometry of this age."""
    return seen(limits, Scene(None, ego()), round(age_s * 1e9))


def odometry_speed(limits: Limits, off_mps: float) -> set[str]:
    """The car has moved so much faster than it says."""
    before, now = ego(8.0), ego(8.0, SECOND // 10, x=(8.0 + off_mps) * 0.1)
    return seen(limits, Scene(before, now), SECOND // 10)


def slow_model(limits: Limits, periods: float) -> set[str]:
    """Every cycle takes so many planning periods."""
    here: EgoState = ego()
    return seen(limits, build_scene(here, here, cycles_s=[periods * 0.1] * CYCLES))


def stamped(limits: Limits, ahead_s: float) -> set[str]:
    """What the sync says of an image so far ahead of the clock."""
    sync = make_sync(limits=limits, names=('front',))
    results = sync.push('front', NOW_NS + round(ahead_s * 1e9), None, NOW_NS)
    return codes([r for r in results if isinstance(r, Fault)])


def clock_step(limits: Limits, step_s: float) -> set[str]:
    """What the sync says when its clock makes this step."""
    sync = make_sync(limits=limits)
    sync.poll(NOW_NS)
    return codes([r for r in sync.poll(NOW_NS + round(step_s * 1e9)) if isinstance(r, Fault)])


def skewed(code: str, hz: float) -> Threshold:
    """Whether the rear camera's stamps lead by so much that the sync says ``code``."""

    def verdict(limits: Limits, lead_s: float) -> bool:
        events = apply(stream(16, hz, jitter_ms=0.0), [shift_stamp('rear', lead_s * 1e3, 1.0)])
        return code in drive(make_sync(hz, limits=limits), events).codes()

    return Threshold(verdict, 0.05)


def silent(limits: Limits, periods: float) -> set[str]:
    """One camera that may not be masked and one that may, silent for so long."""
    camera_watch = CameraWatch({'front': PERIOD_NS, 'rear': PERIOD_NS}, ['front'], limits)
    for name in ('front', 'rear'):
        camera_watch.seen(name, NOW_NS, NOW_NS)
    found = codes(camera_watch.faults(NOW_NS + round(periods * PERIOD_NS)))
    return found & {'CAM_LOST', 'CAM_MANDATORY_LOST'}


def slow_camera(limits: Limits, ratio: float) -> set[str]:
    """A camera that delivers this share of its frames."""
    camera_watch, now_ns = CameraWatch({'rear': PERIOD_NS}, [], limits), NOW_NS
    for _ in range(100):
        now_ns += round(PERIOD_NS / ratio)
        camera_watch.seen('rear', now_ns, now_ns)
    return codes(camera_watch.faults(now_ns))


def held_s(limits: Limits) -> float:
    """How long the sets of a lost required camera go on, with its last frame."""
    events = [e for e in stream(40, 10.0, 0.0) if e.source != 'front' or e.payload[1] < 10]
    sets = drive(make_sync(limits=limits), events).sets
    return (max(s.t0_ns for s in sets) - min(s.t0_ns for s in sets)) * 1e-9


CASES: Cases = {
    'frame_age_warn_s': (Threshold(frame_age),),
    'frame_age_s': (Threshold(frame_age), Threshold(lambda limits, x: stamped(limits, -x))),
    'camera_silence_periods': (Threshold(silent), Follows(held_s, 0.5)),
    'camera_mandatory_periods': (Threshold(silent),),
    'camera_rate_warn_ratio': (Threshold(slow_camera),),
    'camera_rate_ratio': (Threshold(slow_camera),),
    'skew_warn_s': (skewed('SKEW_WARN', 10.0),),
    'skew_s': (skewed('SKEW', 5.0),),
    'stamp_future_warn_s': (Threshold(stamped),),
    'stamp_future_s': (Threshold(stamped), FUTURE),
    'clock_forward_s': (Threshold(clock_step),),
    'clock_jitter_s': (Threshold(lambda limits, x: clock_step(limits, -x)),),
    'odometry_gap_warn_s': (Threshold(odometry_age),),
    'odometry_gap_s': (Threshold(odometry_age),),
    'odometry_speed_warn_mps': (Threshold(odometry_speed),),
    'odometry_speed_mps': (Threshold(odometry_speed),),
    'cycle_warn_periods': (Threshold(slow_model),),
}
