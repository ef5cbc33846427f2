"""A rig file from a recording: what the bag says is read, what it does not say is marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from alpamayo_ros.config_file import described, unknown
from alpamayo_ros.datasets import named_cameras
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.rigs import mounting, naming
from alpamayo_ros.rigs.camera_draft import Work, add_camera
from alpamayo_ros.rigs.survey import Survey
from alpamayo_ros.sensing.rig import OdometrySource, Rig, load_rig
from alpamayo_ros.statuses import ConfigError

NOMINAL = 'sim'  # the rig whose mounts and vehicle stand in for unknown ones
SLOW_HZ = 20.0  # docs/bring_your_vehicle.md, "2. What is read"


@dataclass(slots=True)
class Draft:
    """A rig with remarks.

    ``remarks``: of a camera's name, '' for the rest: lines for the file.  ``todo``: sentences on
    what is missing and what to do, for the terminal.
    """

    rig: Rig
    remarks: dict[str, list[str]]
    todo: list[str]


def draft(
    survey: Survey, profile: ModelProfile, name: str, named: Mapping[str, str] | None = None
) -> Draft:
    """The rig of a surveyed recording; ConfigError where it has no camera.

    ``named``: topic to the name of its camera, where a person knows better than the topic's words.
    """
    if not survey.cameras:
        skipped = '; '.join(f'{topic}: {why}' for topic, why in sorted(survey.skipped.items()))
        raise ConfigError(f'no camera in the bag: {skipped or "it has no topic of pictures"}')
    source, base, remarks = _odometry(survey)
    work = Work(survey, profile, mounting.mounts(survey.transforms, base), load_rig(NOMINAL))
    work.remarks[''] = remarks
    names = _names(work, named or {})
    try:
        for topic in sorted(survey.cameras, key=lambda topic: _order(names[topic], profile)):
            add_camera(work, survey.cameras[topic], names[topic])
        rig = _rig(work, name, source)
    except ValidationError as error:
        raise ConfigError(f'no rig: {described(error.errors()[0], Rig)}') from error
    _about_cameras(work, base)
    _about_car(work, source, base)
    return Draft(rig, work.remarks, work.todo)


def _rig(work: Work, name: str, source: OdometrySource | None) -> Rig:
    """No bag says what the vehicle is like."""
    rest = ('vehicle',) if source else ('vehicle', 'odometry')
    return Rig(
        name=name,
        description='Written by alpamayo rig from-bag.',
        cameras=tuple(work.cameras),
        odometry=source or OdometrySource(),
        vehicle=work.nominal.vehicle,
        assumed=(*work.assumed, *rest),
    )


def _order(name: str, profile: ModelProfile) -> tuple[int, str]:
    known = [camera.name for camera in profile.cameras]
    return (known.index(name) if name in known else len(known), name)


def _odometry(survey: Survey) -> tuple[OdometrySource | None, str, list[str]]:
    """The fastest odometry, the frame that cameras are mounted in, and a remark."""
    rates = {topic: survey.outline.rate_hz(topic) for topic in sorted(survey.odometry)}
    usable = {topic: rate for topic, rate in rates.items() if rate >= 1.0}
    if not usable:
        return None, 'base_link', []
    topic = max(usable, key=lambda t: usable[t])
    first = survey.odometry[topic]
    child = first.child_frame_id.removeprefix('/') or 'base_link'
    source = OdometrySource(
        topic=topic,
        frame_id=first.header.frame_id or 'odom',
        child_frame_id=first.child_frame_id or 'base_link',
        rate_hz=min(round(usable[topic], 1), 2000.0),
    )
    others = [f'{t} at {r:.0f} Hz' for t, r in rates.items() if t != topic]
    remark = f'odometry: the fastest of the bag; also there: {", ".join(others)}' if others else ''
    return source, child, [remark] if remark else []


def _names(work: Work, named: Mapping[str, str]) -> dict[str, str]:
    """A name for each topic: a person's, else by the mount, else by its words, else its own."""
    cameras = work.survey.cameras
    for topic in named:
        if topic not in cameras:
            raise ConfigError(f'--camera: {unknown("camera topic", topic, cameras)}')
    out = dict(named)
    placed = {
        topic: mounting.optical(work.poses[camera.frame_id.removeprefix('/')])[0]
        for topic, camera in cameras.items()
        if topic not in out and camera.frame_id.removeprefix('/') in work.poses
    }
    guessed = named_cameras.names_of(placed)
    for topic in guessed:
        out[topic] = naming.numbered(guessed[topic], out.values())
    for topic in sorted(cameras.keys() - out.keys()):
        name = naming.direction(topic, cameras[topic].frame_id)
        if not name and len(cameras) == 1:
            name = 'front'
        own = naming.own_name(topic, out.values())
        out[topic] = naming.numbered(name, out.values()) if name else own
    return out


def _about_cameras(work: Work, base: str) -> None:
    """What all of the cameras lack, each kind in one sentence."""
    if work.no_mount:
        work.todo.append(
            f'mounts are assumed: {", ".join(work.no_mount)}. /tf_static does not connect their '
            f'frames with {base}. Measure each lens from the rear axle on the ground; alpamayo '
            'rig check compares yaw and pitch with the pictures'
        )
    if work.no_lens:
        work.todo.append(
            f'lenses are assumed: {", ".join(work.no_lens)}. Calibrate and give camera_matrix and '
            'distortion (or publish CameraInfo), or measure the angle that a picture spans'
        )
    here = {camera.name for camera in work.cameras}
    if missing := [c.name for c in work.profile.cameras if c.name not in here]:
        work.todo.append(
            f'{work.profile.name} also wants {", ".join(missing)}; without them replay needs '
            '--incomplete and their views are black'
        )
    for topic, why in sorted(work.survey.skipped.items()):
        work.remarks[''].append(f'left out: {topic}: {why}')


def _about_car(work: Work, source: OdometrySource | None, base: str) -> None:
    """Odometry and vehicle."""
    work.remarks[''].append(f'mounts are in {base}, which has to be the rear axle on the ground')
    vehicle = work.nominal.vehicle
    work.todo.append(
        f'vehicle is assumed (wheelbase {vehicle.wheelbase_m:g} m, {vehicle.length_m:g} x '
        f'{vehicle.width_m:g} m): no bag says it. Fill in the data sheet of the car'
    )
    if source is None:
        work.todo.append(
            'odometry is assumed: the bag has no nav_msgs/Odometry at 1 Hz or more, and without '
            'it no plan can be made; record it, or convert what there is'
        )
    elif source.rate_hz < SLOW_HZ:
        work.todo.append(
            f'odometry: {source.topic} at {source.rate_hz:g} Hz; {SLOW_HZ:g} Hz or more are needed'
        )
