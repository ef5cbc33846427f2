"""A clip of straight driving with tiny pictures: what a data set of somebody else would give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from alpamayo_ros.datasets.named_cameras import YAW_OF
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.rig import Mount, Rig, RigCamera, Vehicle
from alpamayo_ros.training.clips import storage
from alpamayo_ros.training.clips.clip import Note, Pictures
from alpamayo_ros.training.clips.cutting import Cut, cut_clip
from alpamayo_ros.types import EgoState

NS, BEGIN_NS, SPEED_MPS = 10**9, 1000 * 10**9, 8.0
NANO = load_profile('nano')
NOBODY: dict[str, tuple[str, ...]] = {'light': (), 'lead': (), 'pedestrian': ()}
KEEP = (
    'perception: road straight, in lane centre, no vehicle ahead\nsituation: free road\n'
    'rationale: nothing ahead asks for less speed\nintent: keep speed and keep the lane'
)
STOP = KEEP.replace('keep speed and', 'stop and')
WAIT = KEEP.replace('keep speed and', 'wait and')  # the opposite of what is driven
LEAD = KEEP.replace('no vehicle ahead', 'braking vehicle ahead at 10 m')


def rig(names: tuple[str, ...] = tuple(YAW_OF)) -> Rig:
    """Small cameras of 120 degrees that look where their names say."""
    cameras = tuple(
        RigCamera(
            name=name, topic=f'camera/{name}/image_raw/compressed',
            info_topic=f'camera/{name}/camera_info', frame_id=f'camera_{name}_optical',
            width=64, height=36, hfov_deg=120.0, rate_hz=10.0,
            mount=Mount(x_m=1.0, y_m=0.0, z_m=1.5, yaw_rad=float(np.radians(YAW_OF[name]))),
        )
        for name in names
    )  # fmt: skip
    car = Vehicle(wheelbase_m=2.7, steer_max_rad=0.6, steer_rate_max_rps=0.6, length_m=4.5,
                  width_m=1.8, rear_axle_to_front_bumper_m=3.6)  # fmt: skip
    return Rig(name='made_up', cameras=cameras, vehicle=car)


@dataclass
class StraightClip:
    """8 m/s straight on; ``words`` of every instant, ``lost``: seconds without any picture."""

    name: str = 'straight'
    seconds: float = 8.0
    words: str = KEEP
    rig: Rig = field(default_factory=rig)
    lost: tuple[float, float] = (0.0, 0.0)
    facts: dict[str, tuple[str, ...]] | None = field(default_factory=lambda: dict(NOBODY))

    @property
    def stamps(self) -> list[int]:
        every = [BEGIN_NS + k * NS // 10 for k in range(round(self.seconds * 10) + 1)]
        low, high = (BEGIN_NS + round(t * NS) for t in self.lost)
        return [t for t in every if not low < t < high]

    @property
    def states(self) -> list[EgoState]:
        """From a second before the pictures to seven seconds after them, at 20 Hz."""
        times = np.arange(-1.0, self.seconds + 7.0, 0.05)
        return [
            EgoState(BEGIN_NS + round(t * NS), SPEED_MPS * float(t), 0.0, 0.0, SPEED_MPS)
            for t in times
        ]

    @property
    def notes(self) -> list[Note]:
        return [
            Note(t0_ns=t, words=self.words, instruction='follow the road', facts=self.facts)
            for t in self.stamps
        ]

    def pictures(self) -> Iterator[Pictures]:
        for number, stamp in enumerate(self.stamps):
            shown = {
                c.name: np.full((36, 64, 3), (number + 30 * k) % 256, np.uint8)
                for k, c in enumerate(self.rig.cameras)
            }
            yield Pictures(stamp, shown)


def stored(out: Path, clip: StraightClip | None = None, grammar: str = 'phrases_v1') -> Path:
    """The first part of a clip on disk, its words said to be of ``grammar``."""
    (made, *_) = list(cut_clip(clip or StraightClip(), out, Cut(30.0, 'a test'), NANO))
    assert isinstance(made, storage.Meta)
    folder = out / made.name
    annotation = storage.read_annotation(folder)
    storage.finish(folder, made.model_copy(update={'grammar': grammar}), annotation)
    return folder
