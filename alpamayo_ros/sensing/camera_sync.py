"""The synchronisation of a profile's cameras, on a vehicle, in replay and in simulation."""

from __future__ import annotations

from collections.abc import Sequence

from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing.rig import RigCamera
from alpamayo_ros.sensing.sync import CameraSync, SyncCamera, SyncLimits

NS = 1_000_000_000


def required_cameras(profile: ModelProfile) -> list[str]:
    """Cameras without which there is no set: mandatory, or not to be masked."""
    return [c.name for c in profile.cameras if c.mandatory or not c.maskable]


def make_sync(
    profile: ModelProfile, cameras: Sequence[RigCamera], black: Sequence[str] = ()
) -> CameraSync:
    """For ``cameras`` in the profile's order; ``black``: known to be missing (evaluation only)."""
    required = required_cameras(profile)
    specs = [
        SyncCamera(
            camera.name, round(NS / camera.rate_hz), camera.policy,
            camera.name in required, camera.name not in black,
        )
        for camera in cameras
    ]  # fmt: skip
    return CameraSync(specs, SyncLimits())
