"""A rig against a recording: topics, sizes, rates, calibration, mounts by optical flow."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alpamayo_ros.limits import Limits, load_limits
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.replay.topics import Source, wire
from alpamayo_ros.rigs import clock_findings
from alpamayo_ros.rigs.calibration import calibration
from alpamayo_ros.rigs.finding import Finding, signed
from alpamayo_ros.rigs.flow import Tracks, moving
from alpamayo_ros.rigs.heading import Heading, heading
from alpamayo_ros.rigs.pictures import Flows, Motion, read_flows, read_motion
from alpamayo_ros.rigs.survey import SeenCamera, Survey, survey
from alpamayo_ros.sensing.rig import Rig, RigCamera

STRAIGHT_RPS, FAST_MPS = 0.03, 2.0  # what counts as driving straight on
OFF_RAD = math.radians(3.0)  # a mount further off than this, and than three standard errors
SAME_FOCAL = 0.02  # relative: a CameraInfo that differs more is another lens
AHEAD = 0.5  # cosine: a camera within 60 degrees of the way shows pitch, another one roll
DROPPED = 1.5  # periods: a longer interval is a lost picture


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording as it was looked through; ``cameras``: name to the topic of its pictures."""

    rig: Rig
    survey: Survey
    cameras: dict[str, SeenCamera]
    odometry: str
    motion: Motion | None
    flows: Flows
    limits: Limits


def findings(
    bag: Path,
    rig: Rig,
    profile: ModelProfile,
    seconds: float,
    progress: Callable[[float], None] = lambda _: None,
) -> list[Finding]:
    """Everything that the first ``seconds`` of a recording say of a rig."""
    found = _read(bag, rig, profile, seconds, progress)
    fault = found.survey.fault
    out = [Finding('wrong', 'rig', fault, 'alpamayo data check, then data recover')] * bool(fault)
    wanted = {camera.name for camera in profile.cameras}
    for camera in rig.cameras:
        if camera.name in wanted:
            out += _camera(found, camera)
    clocks = clock_findings.cameras(found.cameras, found.limits)
    odometry = clock_findings.odometry(found.odometry, found.motion, rig)
    turning = clock_findings.turning(rig, found.flows.pairs, found.motion)
    return [*out, *clocks, *odometry, *turning]


def _read(
    bag: Path, rig: Rig, profile: ModelProfile, seconds: float, progress: Callable[[float], None]
) -> Recorded:
    """Headers first, then the odometry, then the flow of the cameras whose size is the rig's."""
    found = survey(bag, seconds, lambda share: progress(share / 4))
    types = {t: kind for t, kind in found.outline.types.items() if found.outline.counts[t]}
    sources = {source: topic for topic, source in wire(types, rig, profile, {}).items()}
    cameras = {
        camera.name: found.cameras[topic]
        for camera in rig.cameras
        if (topic := sources.get(Source('image', camera.name), '')) in found.cameras
    }
    begin_s = found.begin_s
    odometry = sources.get(Source('odometry'), '')
    motion = read_motion(bag, odometry, begin_s + seconds) if odometry else None
    both = [(c, cameras[c.name]) for c in rig.cameras if c.name in cameras]
    sized = {seen.topic: camera for camera, seen in both if _fits(camera, seen)}
    counts = {one.topic: len(one.stamps_s) for one in cameras.values()}
    span = (begin_s, begin_s + seconds)
    flows = read_flows(bag, sized, counts, span, lambda share: progress(0.25 + 0.75 * share))
    return Recorded(rig, found, cameras, odometry, motion, flows, load_limits())


def _fits(camera: RigCamera, seen: SeenCamera) -> bool:
    return (camera.width, camera.height) == (seen.width, seen.height)


def _camera(found: Recorded, camera: RigCamera) -> list[Finding]:
    """One camera: is it there, as large, as fast, calibrated and mounted as the rig says."""
    name, seen = camera.name, found.cameras.get(camera.name)
    if seen is None:
        there = ', '.join(sorted(found.survey.cameras)) or 'none'
        text = f'no pictures on {camera.topic}; the recording has {there}'
        return [Finding('wrong', name, text, 'correct topic in the rig file')]
    out = []
    if not _fits(camera, seen):
        size = f'{camera.width} x {camera.height}'
        text = f'pictures have {seen.width} x {seen.height}, the rig {size}'
        out.append(Finding('wrong', name, text, 'correct width, height and the lens'))
    if wrong := seen.wrong or found.flows.unread.get(name, ''):
        out.append(Finding('wrong', name, f'pictures cannot be read: {wrong}', 'another encoding'))
    if seen.frame_id != camera.frame_id:
        text = f'frame_id is {seen.frame_id!r}, the rig says {camera.frame_id!r}'
        out.append(Finding('note', name, text, 'correct frame_id'))
    return [*out, *_rate(found, camera, seen), *_lens(found, camera, seen), *_mount(found, camera)]


def _rate(found: Recorded, camera: RigCamera, seen: SeenCamera) -> list[Finding]:
    """The recorded rate, and how many pictures are missing between the others."""
    least = found.limits.camera_rate_warn_ratio * camera.rate_hz
    out = []
    if not least <= seen.rate_hz <= camera.rate_hz / found.limits.camera_rate_warn_ratio:
        text = f'{seen.rate_hz:.1f} Hz, the rig says {camera.rate_hz:g}'
        out.append(Finding('warn', camera.name, text, 'correct rate_hz, or the camera driver'))
    between = np.diff(np.sort(np.array(seen.stamps_s))) * seen.rate_hz
    lost = float(np.maximum(np.round(between[between > DROPPED]) - 1, 0).sum())
    share = lost / max(1.0, lost + len(seen.stamps_s))
    if share > 1 - found.limits.camera_rate_warn_ratio:
        text = f'{100 * share:.0f} % of the pictures are missing'
        out.append(Finding('warn', camera.name, text, 'a faster disk or link; CompressedImage'))
    return out or [
        Finding('good', camera.name, f'{seen.rate_hz:.1f} Hz, {100 * share:.0f} % lost')
    ]


def _lens(found: Recorded, camera: RigCamera, seen: SeenCamera) -> list[Finding]:
    """The recorded CameraInfo against the rig's lens; it wins where the rig names its topic."""
    said = calibration(seen, found.survey.infos)
    if isinstance(said, str):
        if camera.camera_matrix is not None:
            return [Finding('note', camera.name, said)]
        return [Finding('warn', camera.name, said, 'calibrate: hfov_deg is an ideal lens')]
    ratio = said.matrix[0] / float(camera.matrix[0, 0])
    if abs(ratio - 1) <= SAME_FOCAL:
        return [Finding('good', camera.name, f'lens as {said.said} says')]
    wins = ', and wins' if said.info_topic and camera.info_topic else ''
    text = f'{said.said} says fx {said.matrix[0]:.1f}, the rig {camera.matrix[0, 0]:.1f}{wins}'
    change = 'alpamayo rig from-bag writes what CameraInfo says; keep the right one'
    return [Finding('warn', camera.name, text, change)]


def _mount(found: Recorded, camera: RigCamera) -> list[Finding]:
    """The way of the car in the optical flow against the stated mount."""
    pairs = _straight(found.flows.pairs.get(camera.name, []), found.motion, camera)
    seen = heading(camera, pairs)
    if seen is None:
        text = f'mount not seen in the flow: {len(pairs)} pairs of pictures while driving straight'
        return [Finding('note', camera.name, text, 'record a minute straight on above 20 km/h')]
    return [_judged(camera, seen)]


def _judged(camera: RigCamera, seen: Heading) -> Finding:
    """Yaw, and pitch of a camera that looks along the way, or roll of one that looks aside."""
    along = abs(float(camera.base_from_optical[0, 2])) > AHEAD
    second = 'pitch' if along else 'roll'
    yaw, up, error = (math.degrees(v) for v in (seen.yaw_rad, seen.up_rad, seen.error_rad))
    text = (
        f'by the flow of {seen.pairs} pairs the car drives {signed(yaw, 1)} degrees to the left '
        f'of and {signed(up, 1)} above straight ahead (standard error {error:.1f})'
    )
    if max(abs(seen.yaw_rad), abs(seen.up_rad)) <= max(OFF_RAD, 3 * seen.error_rad):
        return Finding('good', camera.name, f'yaw and {second} of the mount fit: {text}')
    roll, pitch, yaw_rad = seen.mount
    change = (
        f'look at yaw and {second}: roll_rad {roll:z.3f}, pitch_rad {pitch:z.3f}, yaw_rad '
        f'{yaw_rad:z.3f} would fit'
    )
    return Finding('wrong', camera.name, f'the mount does not fit: {text}', change)


def _straight(
    pairs: list[Tracks], motion: Motion | None, camera: RigCamera
) -> list[tuple[Tracks, float]]:
    """Pairs while driving straight on, with the small turn between."""
    if motion is None or len(motion.stamps_s) < 2:
        return []
    out = []
    for one in pairs:
        middle = (one.from_s + one.to_s) / 2
        rate = abs(float(motion.at(motion.yaw_rate_rps, middle)))
        turn = float(motion.turn(one.from_s, one.to_s))
        fast = float(motion.at(motion.speed_mps, middle)) > FAST_MPS
        if rate < STRAIGHT_RPS and fast and math.isfinite(turn):
            out.append((moving(one, camera), turn))
    return out
