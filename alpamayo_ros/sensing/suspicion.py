"""Which cameras show no picture of a road: frozen, black, white, noise or torn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing.pictures.torn import SeamWatch
from alpamayo_ros.sensing.plausibility import CameraPlausibility


class Suspicion:
    """Judges each new frame once; a held frame keeps its verdict."""

    def __init__(self, profile: ModelProfile) -> None:
        """Every camera of the profile."""
        self._profile = profile
        self.seams = SeamWatch()
        self._cameras = {c.name: CameraPlausibility(c.name) for c in profile.cameras}
        self._verdicts: dict[str, tuple[int, Fault | None]] = {}

    def reset(self) -> None:
        """Forget the past, as after a clock jump."""
        self._verdicts.clear()
        self.seams.reset()
        for camera in self._cameras.values():
            camera.reset()

    def judge(
        self,
        payloads: Mapping[str, Any],
        stamps_ns: Mapping[str, int],
        kinds: Mapping[str, str],
        speed_mps: float,
    ) -> dict[str, Fault]:
        """Faults by camera.

        ``payloads``: the bytes as received, ``kinds``: of each camera's first view, by
        ``plausibility.implausible``.
        """
        for name, payload in payloads.items():
            stamp_ns = stamps_ns[name]
            if self._verdicts.get(name, (None, None))[0] == stamp_ns:
                continue
            camera = self._cameras[name]
            frozen = camera.check_payload(payload, speed_mps)
            odd = camera.check_kind(kinds[name])
            self._verdicts[name] = (stamp_ns, frozen or odd)
        found = {name: self._verdicts[name][1] for name in payloads}
        return {name: fault for name, fault in found.items() if fault is not None}

    def refusals(self, bad: Mapping[str, Fault]) -> list[Fault]:
        """CAM_MANDATORY_LOST for a bad camera that may not be masked."""
        fixed = [c.name for c in self._profile.cameras if not c.maskable and c.name in bad]
        text = '{} may not be masked.'
        return [Fault(Code.CAM_MANDATORY_LOST, text.format(n), {'camera': n}) for n in fixed]
