"""What a check says of the clocks and rates of cameras and odometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from alpamayo_ros.limits import Limits
from alpamayo_ros.rigs.clocks import LEVEL, Lag, lag, phase
from alpamayo_ros.rigs.finding import Finding, Level, signed
from alpamayo_ros.rigs.flow import Tracks
from alpamayo_ros.rigs.pictures import Motion
from alpamayo_ros.rigs.survey import SeenCamera
from alpamayo_ros.sensing.rig import Rig

ODOMETRY_HZ = 20.0  # docs/bring_your_vehicle.md, "2. What is read"
OTHER_CLOCK_S = 1.0  # recorded so long after its stamp: not one clock
LAG_S = 0.05  # pictures against odometry
SURE = 0.9  # correlation at the best lag
LEAST_GAIN, MOST_GAIN = 0.9, 1.25  # painted lines that were followed make the gain less than 1
BENDS = 'record a minute with bends to both sides'
SYNC = 'stamp at capture, on one clock (PTP, or one computer)'


def cameras(seen: Mapping[str, SeenCamera], limits: Limits) -> list[Finding]:
    """Stamps against the time of recording, and against the other cameras."""
    out = []
    stamped = {name: one for name, one in seen.items() if one.stamped}
    for name in sorted(seen.keys() - stamped.keys()):
        out.append(Finding('wrong', name, 'its stamps are all the same, or zero', SYNC))
    late = {name: one.latency_s[0] for name, one in stamped.items()}
    usual = float(np.median(list(late.values()))) if late else 0.0
    for name, one in stamped.items():
        middle, spread = one.latency_s
        text = f'recorded {1e3 * middle:z.0f} ms after its stamp, within {1e3 * spread:.0f} ms'
        if middle < -limits.stamp_future_warn_s or middle > OTHER_CLOCK_S:
            out.append(Finding('wrong', name, f'another clock: {text}', SYNC))
        elif abs(middle - usual) > limits.skew_s:
            text = f'{text}; the cameras usually {1e3 * usual:z.0f} ms'
            change = f'a fixed offset of its driver, or a slower link: {SYNC}'
            out.append(Finding('warn', name, text, change))
        else:
            out.append(Finding('good', name, text))
    return [*out, *_phases(stamped, limits)]


def _phases(stamped: Mapping[str, SeenCamera], limits: Limits) -> list[Finding]:
    """How far the captures of a set lie apart."""
    if len(stamped) < 2:
        return []
    first, *others = stamped
    out = []
    for name in others:
        off_s = phase(stamped[name].stamps_s, stamped[first].stamps_s)
        if abs(off_s) > limits.skew_warn_s:
            text = f'captured {signed(1e3 * off_s, 0)} ms from the nearest picture of {first}'
            level: Level = 'warn' if abs(off_s) <= limits.skew_s else 'wrong'
            out.append(Finding(level, name, text, 'trigger the cameras together'))
    return out


def odometry(topic: str, motion: Motion | None, rig: Rig) -> list[Finding]:
    """Rate and latency of the odometry."""
    if motion is None or len(motion.stamps_s) < 2:
        text = f'none on {rig.odometry.topic}'
        return [Finding('wrong', 'odometry', text, 'correct odometry.topic, or record it')]
    between = np.diff(motion.stamps_s)
    rate = 1.0 / max(float(np.median(between)), 1e-6)
    late_s = float(np.median(motion.times_s - motion.stamps_s))
    said = f'{topic}: {rate:.1f} Hz, recorded {1e3 * late_s:z.0f} ms after its stamp'
    if abs(late_s) > OTHER_CLOCK_S:
        return [Finding('wrong', 'odometry', f'another clock: {said}', SYNC)]
    if rate < ODOMETRY_HZ:
        change = f'{ODOMETRY_HZ:g} Hz or more are needed, 50 are better'
        return [Finding('warn', 'odometry', said, change)]
    return [Finding('good', 'odometry', said)]


def turning(
    rig: Rig, pairs: Mapping[str, Sequence[Tracks]], motion: Motion | None
) -> list[Finding]:
    """When the pictures turn against when the odometry says so; of cameras along the way."""
    if motion is None:
        return []
    return [
        _turned(camera.name, lag(camera, pairs[camera.name], motion))
        for camera in rig.cameras
        if camera.name in pairs and abs(camera.base_from_optical[0, 2]) >= LEVEL
    ]


def _turned(name: str, found: Lag | None) -> Finding:
    """Wrong where the whole interval is off, good where all of it is near 0, else not told."""
    untold = 'whether its picture turns when the odometry does cannot be told'
    if found is None:
        return Finding('note', name, f'{untold}: too few bends, or too little to see', BENDS)
    fit = f'correlation {found.correlation:.2f}, gain {found.gain:.2f}'
    if found.correlation < SURE or not LEAST_GAIN <= found.gain <= MOST_GAIN:
        return Finding('note', name, f'{untold}: it turns otherwise ({fit})', BENDS)
    low, high, likely = (signed(1e3 * s, 0) for s in (found.low_s, found.high_s, found.lag_s))
    between = f'between {low} and {high} ms'
    text = f'its picture turns {likely} ms from the odometry ({between}, {fit})'
    if found.low_s > LAG_S or found.high_s < -LAG_S:
        return Finding('wrong', name, text, SYNC)
    if max(-found.low_s, found.high_s) <= 2 * LAG_S:
        return Finding('good', name, text)
    text = f'its picture turns {between} from the odometry: this drive tells no closer ({fit})'
    return Finding('note', name, text, BENDS)
