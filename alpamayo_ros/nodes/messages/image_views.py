"""``sensing.view_pipeline`` with what only ROS has: cv_bridge and FrameSet's policy codes."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from alpamayo_ros.msg import FrameSet
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing import view_pipeline
from alpamayo_ros.sensing.rig import RigCamera
from alpamayo_ros.sensing.synchronisation.synced_set import SyncedSet
from alpamayo_ros.types import FrameSet as FrameSetRecord


class ViewPipeline(view_pipeline.ViewPipeline):
    """The views of the profile, as messages want them."""

    def __init__(self, profile: ModelProfile, cameras: list[RigCamera], threads: int) -> None:
        """``cameras`` in the profile's order."""
        super().__init__(profile, cameras, threads, _cv_bridge())
        self._names = [camera.name for camera in cameras]

    def policies(self, frames: FrameSetRecord, matched: SyncedSet) -> list[int]:
        """FRESH, HELD or MASKED for each view."""
        held = dict(zip(self._names, matched.held, strict=True))
        kinds = [FrameSet.HELD if held[v.camera] else FrameSet.FRESH for v in self.profile.views]
        return [k if ok else FrameSet.MASKED for k, ok in zip(kinds, frames.valid, strict=True)]


def _cv_bridge() -> Any:
    """cv_bridge converts more encodings; it comes with a ROS distribution only."""
    if find_spec('cv_bridge') is None:
        return None
    from cv_bridge import CvBridge

    return CvBridge()
