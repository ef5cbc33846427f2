"""One camera of a drafted rig: its keys from the recording, or assumed ones that are marked."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from alpamayo_ros.datasets import named_cameras
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.rigs import mounting
from alpamayo_ros.rigs.calibration import Calibration, calibration
from alpamayo_ros.rigs.survey import SeenCamera, Survey
from alpamayo_ros.sensing.rig import Mount, Rig, RigCamera

HFOV_DEG = 90.0  # of a camera that the profile does not know
FARTHEST_M = 30.0  # of a mount, as the rig file takes it
ANY_LENS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(slots=True)
class Work:
    """What is being put together, camera by camera.

    ``poses``: of frames in base_link.  ``nominal``: the rig that stands in for unknown values.
    ``no_mount``, ``no_lens``: cameras whose mount and lens are assumed, in words.
    """

    survey: Survey
    profile: ModelProfile
    poses: dict[str, mounting.Pose]
    nominal: Rig
    cameras: list[RigCamera] = field(default_factory=list)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    assumed: list[str] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)
    no_mount: list[str] = field(default_factory=list)
    no_lens: list[str] = field(default_factory=list)


def add_camera(work: Work, seen: SeenCamera, name: str) -> None:
    """One camera with its remarks."""
    lines = work.remarks.setdefault(name, [])
    late_s, spread_s = seen.latency_s
    lines.append(f'{seen.type}, {seen.encoding[:40] or "no format"}, {seen.rate_hz:.2f} Hz')
    lines.append(
        f'recorded {1e3 * late_s:z.0f} ms after its stamp, within {1e3 * spread_s:.0f} ms'
    )
    if seen.wrong:
        work.todo.append(f'{name}: {seen.topic} cannot be read: {seen.wrong}')
    if not seen.stamped:
        work.todo.append(f'{name}: {seen.topic} has no stamps; let the driver stamp each capture')
    optics = calibration(seen, work.survey.infos)
    known = {camera.name: camera for camera in work.profile.cameras}
    if name not in known:
        work.todo.append(
            f'{name}: {work.profile.name} has no camera of that name; where it looks is unknown: '
            f'--camera {seen.topic}=NAME, NAME one of {", ".join(known)}'
        )
    hfov_deg = known[name].hfov_deg if name in known else HFOV_DEG
    data = {
        'name': name,
        'topic': seen.topic,
        'frame_id': _frame_id(work, seen, name),
        'width': seen.width,
        'height': seen.height,
        'mount': _mount(work, seen, name),
        'rate_hz': min(max(round(seen.rate_hz, 2), 0.1), 120.0),
    }
    work.cameras.append(RigCamera.model_validate(data | _optics(work, name, optics, hfov_deg)))


def _optics(
    work: Work, name: str, optics: Calibration | str, hfov_deg: float
) -> dict[str, object]:
    """The keys of a camera's lens; without a calibration an assumed field of view."""
    if not isinstance(optics, str):
        work.remarks[name].append(f'intrinsics: {optics.said}')
        return {
            'camera_matrix': optics.matrix,
            'distortion': optics.distortion.model_dump(),
            'info_topic': optics.info_topic,
        }
    work.assumed.append(f'cameras.{name}.hfov_deg')
    work.remarks[name].append(f'ASSUMED hfov_deg: {optics}')
    work.no_lens.append(f'{name} ({hfov_deg:g} degrees; {optics})')
    return {'hfov_deg': hfov_deg}


def _frame_id(work: Work, seen: SeenCamera, name: str) -> str:
    """The header's frame; one of our own where it is empty or two cameras share it."""
    shared = [c for c in work.survey.cameras.values() if c.frame_id == seen.frame_id]
    if seen.frame_id and len(shared) == 1:
        return seen.frame_id
    why = f'is that of {len(shared)} cameras' if seen.frame_id else 'is empty'
    work.todo.append(f'{name}: the frame_id {seen.frame_id!r} {why}; name each camera its own')
    return f'camera_{name}_optical'


def _mount(work: Work, seen: SeenCamera, name: str) -> Mount:
    """Where the transforms put it, else where the nominal rig has the camera of that name."""
    pose = work.poses.get(seen.frame_id.removeprefix('/'))
    if pose is not None and bool(np.abs(pose[:3, 3]).max() <= FARTHEST_M):
        placed, body = mounting.optical(pose)
        said = f'mount: /tf_static, {seen.frame_id}' + (' (a body frame)' if body else '')
        work.remarks[name].append(said)
        size = (seen.width, seen.height)
        found = named_cameras.camera(name, placed, ANY_LENS, size, seen.rate_hz).mount
        values = {key: round(value, 6) for key, value in found.model_dump().items()}
        return Mount.model_validate(values)
    nominal = {camera.name: camera.mount for camera in work.nominal.cameras}
    plain = name.rpartition('_')[0] if name not in nominal else name
    mount = nominal.get(plain, nominal['front'])
    work.assumed.append(f'cameras.{name}.mount')
    work.remarks[name].append('ASSUMED mount: no transform of its frame; that of the nominal rig')
    work.no_mount.append(f'{name} ({_yaw(mount)})')
    return mount


def _yaw(mount: Mount) -> str:
    """Where it looks, in words."""
    degrees = float(np.degrees(mount.yaw_rad))
    if abs(degrees) < 0.5:
        return 'straight ahead'
    if abs(degrees) > 179.5:
        return 'straight back'
    return f'{abs(degrees):.0f} degrees to the {"left" if degrees > 0 else "right"}'
