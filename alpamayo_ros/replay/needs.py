"""What a recording lacks for a profile, said before any work is done."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from alpamayo_ros.bags.bag import BagReader
from alpamayo_ros.bags.outline import Outline
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.replay.topics import COMPRESSED, Source, image_names
from alpamayo_ros.sensing.rig import Rig
from alpamayo_ros.sensing.ring import JITTER_NS, FrameRing
from alpamayo_ros.units import NS

ODOMETRY_HZ = 5.0  # docs/faults.md, "Limits": a gap of 0.2 s is too long


def damaged(found: Outline, path: Path) -> bool:
    """Whether a bag without a sound table of contents is damaged, and not merely without one."""
    if found.whole:
        return False
    reader = BagReader(path, raw=True)
    for _ in reader:
        pass
    return reader.fault is not None


def lacks(
    found: Outline, sources: Mapping[str, Source], rig: Rig, profile: ModelProfile
) -> list[str]:
    """Sentences, each naming one thing that is missing and what to type; empty when none is."""
    topics = {source: topic for topic, source in sources.items()}
    out = _cameras(topics, rig, profile)
    odometry = topics.get(Source('odometry'))
    if odometry is None:
        out.append(
            f'odometry: no nav_msgs/Odometry on {rig.odometry.topic}; name it with '
            f'--map RECORDED:={rig.odometry.topic}'
        )
    elif found.rate_hz(odometry) < ODOMETRY_HZ:
        out.append(
            f'odometry: {found.rate_hz(odometry):.1f} Hz on {odometry}, at least '
            f'{ODOMETRY_HZ:g} Hz are needed to say where the car was at t0'
        )
    if rig.assumed:
        keys = ', '.join(rig.assumed)
        out.append(f'rig: measure what is assumed, and take it out of `assumed`: {keys}')
    return out + _history(found, topics, profile)


def _cameras(topics: Mapping[Source, str], rig: Rig, profile: ModelProfile) -> list[str]:
    known = {camera.name: camera for camera in rig.cameras}
    out = []
    for camera in profile.cameras:
        if camera.name not in known:
            out.append(f'camera {camera.name}: the rig {rig.name!r} has none of that name')
        elif Source('image', camera.name) not in topics:
            raw = image_names(known[camera.name])[1]
            out.append(
                f'camera {camera.name}: no pictures on {raw} or {raw}{COMPRESSED}; name them with '
                f'--map RECORDED:={raw}'
            )
    return out


def _history(found: Outline, topics: Mapping[Source, str], profile: ModelProfile) -> list[str]:
    """Frames of the past that can never be there: too slow a camera, too short a recording."""
    count, spacing_s = profile.frames.count, profile.frames.spacing_s
    span_s = (count - 1) * spacing_s
    out = []
    if found.span_s < span_s:
        out.append(
            f'history: {found.span_s:.2f} s were recorded, {profile.name} looks back '
            f'{span_s:.2f} s'
        )
    ring = FrameRing()
    slowest_s = spacing_s + 2 * (ring.period_ns // 2 + JITTER_NS) / NS
    for source, topic in topics.items():
        rate = found.rate_hz(topic)
        if source.role == 'image' and found.counts.get(topic, 0) > 1 and rate * slowest_s < 1:
            out.append(
                f'history: {source.camera} at {rate:.1f} Hz, {profile.name} wants a picture '
                f'every {spacing_s:g} s'
            )
    return out
