"""A rig against what a model wants: cameras, fields of view, sharpness, mounts, gaps around."""

from __future__ import annotations

import math

from alpamayo_ros.profile import ModelProfile, View
from alpamayo_ros.rigs.coverage import gaps, overlaps, seen
from alpamayo_ros.rigs.finding import Finding
from alpamayo_ros.sensing.rig import Mount, Rig, RigCamera, load_rig
from alpamayo_ros.sensing.views import ViewMaker

NOMINAL = 'sim'  # where the training had its cameras
LOST_DEG = 1.0  # as camera_sync warns
GAP_DEG = 2.0
YAW_DEG, PITCH_DEG, HEIGHT_M = 10.0, 6.0, 0.5  # from the training's mounts; a person's judgement


def findings(rig: Rig, profile: ModelProfile) -> list[Finding]:
    """Everything that can be said without a recording."""
    out = _assumed(rig)
    known = {camera.name: camera for camera in rig.cameras}
    for wanted in profile.cameras:
        if wanted.name not in known:
            out.append(_missing(wanted.name, rig, profile, wanted.mandatory))
            continue
        camera = known[wanted.name]
        out += [f for v in profile.views if v.camera == wanted.name for f in _view(camera, v)]
        out += _mount(camera)
    extra = [name for name in known if name not in {c.name for c in profile.cameras}]
    for name in extra:
        text = f'{profile.name} has no camera of that name and does not look at it'
        out.append(Finding('note', name, text, 'rename it where it stands for another'))
    return [*out, *_around(rig, profile)]


def _assumed(rig: Rig) -> list[Finding]:
    """One finding a camera, and one for the rest."""
    change = 'measure, correct the file, and take the keys out of `assumed`'
    keys: dict[str, list[str]] = {}
    for key in rig.assumed:
        of_camera = key.startswith('cameras.')
        about = key.split('.')[1] if of_camera else 'rig'
        keys.setdefault(about, []).append(key.split('.')[2] if of_camera else key)
    return [
        Finding('warn', about, f'assumed, nobody measured it: {", ".join(found)}', change)
        for about, found in keys.items()
    ]


def _missing(name: str, rig: Rig, profile: ModelProfile, mandatory: bool) -> Finding:
    text = f'{profile.name} wants a camera of this name and the rig {rig.name!r} has none'
    change = 'mount one, or give the name to the camera that looks there'
    if not mandatory:
        change += '; until then its views are black (replay --incomplete)'
    return Finding('wrong', name, text, change)


def _view(camera: RigCamera, view: View) -> list[Finding]:
    """Where a view is wider than its camera, or sharper."""
    size = (camera.width, camera.height)
    maker = ViewMaker(view, camera.matrix, camera.distortion, *size, camera.mount.roll_rad)
    out, about = [], camera.name
    for lost_deg, what in (
        (maker.lost_fov_deg, 'wide'),
        (maker.lost_vertical_fov_deg, 'high'),
    ):
        if lost_deg > LOST_DEG:
            text = f'view {view.name} wants {lost_deg:.0f} degrees more than it sees ({what})'
            change = 'a wider lens, or a higher picture; what is not seen is black to the model'
            out.append(Finding('warn', about, text, change))
    if camera.matrix[0, 0] < maker.focal_px:
        scale = maker.focal_px / camera.matrix[0, 0]
        text = f'view {view.name} is drawn up {scale:.1f} times: the picture has too few pixels'
        out.append(Finding('warn', about, text, f'{math.ceil(camera.width * scale)} pixels wide'))
    if not out:
        text = f'view {view.name}: {view.hfov_deg:g} degrees, all seen'
        out.append(Finding('good', about, text))
    return out


def _mount(camera: RigCamera) -> list[Finding]:
    """Where it differs much from the mounts of the training."""
    known = {c.name: c.mount for c in load_rig(NOMINAL).cameras}
    nominal: Mount | None = known.get(camera.name)
    if nominal is None:
        return []
    off = [
        (math.degrees(math.remainder(camera.mount.yaw_rad - nominal.yaw_rad, math.tau)),
         YAW_DEG, 'yaw', 'degrees'),
        (math.degrees(camera.mount.pitch_rad - nominal.pitch_rad), PITCH_DEG, 'pitch', 'degrees'),
        (camera.mount.z_m - nominal.z_m, HEIGHT_M, 'height', 'm'),
    ]  # fmt: skip
    return [
        Finding('note', camera.name, f'{what} is {value:+.1f} {unit} from the mount of the '
                'training', 'turn or move it, or train with this mount')
        for value, limit, what, unit in off
        if abs(value) > limit
    ]  # fmt: skip


def _around(rig: Rig, profile: ModelProfile) -> list[Finding]:
    """Gaps, blind cameras and overlaps."""
    out = []
    for arc in gaps(rig, profile):
        if arc.width_deg >= GAP_DEG:
            change = 'a wider lens, another mount, or one more camera there'
            text = f'no camera of {profile.name} sees from {arc}'
            out.append(Finding('warn', 'rig', text, change))
    for camera in rig.cameras:
        if not seen(camera).any():
            text = 'does not see the horizon at all'
            out.append(Finding('wrong', camera.name, text, 'correct its mount: pitch and roll'))
    for arc in overlaps(rig):
        text = f'{" and ".join(arc.names)} overlap from {arc}'
        out.append(Finding('note', 'rig', text))
    return out
