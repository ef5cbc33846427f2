"""A simulated drive as a recording: what the cameras and the odometry of a car would have said.

ROS-free; the privileged expert drives.  The same arguments give the same bytes.  A recording of
the live graph, with whatever drove it, is ``alpamayo up simulator --bag-out``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, Int16, UInt8

from alpamayo_ros.bags.sensor_writer import BoxRow, SensorBag
from alpamayo_ros.datasets.rig_file import write_rig
from alpamayo_ros.faults import Fault
from alpamayo_ros.sensing.navigation import FOLLOW_TEXT
from alpamayo_ros.sensing.rig import Rig, RigCamera, rotation_xyz
from alpamayo_ros.sensing.route import from_text
from alpamayo_ros.simulation.agents import Agent
from alpamayo_ros.simulation.driving_wish import PLAIN, Wish
from alpamayo_ros.simulation.ego import EgoPose, advance
from alpamayo_ros.simulation.scenario import Scenario, load_scenario
from alpamayo_ros.simulation.sim_rig import sim_rig
from alpamayo_ros.simulation.worlds import expert
from alpamayo_ros.simulation.worlds.open_world import open_world
from alpamayo_ros.simulation.worlds.simulation import STEP_NS, STEP_S, Simulation
from alpamayo_ros.units import NS

NAMESPACE = '/alpamayo'
EPOCH_NS = 1000 * NS  # as the simulator node: a stamp of zero means 'no stamp'
TICKS = 5  # odometry a step of 0.1 s: 50 Hz
QUALITY = 90
GRAIN = 3.0  # standard deviation: 1600 x 900 at quality 90 then takes about 0.2 MB
INFO_NS = NS  # camera_info is repeated once a second
CAR_HEIGHT_M, PEDESTRIAN_HEIGHT_M = 1.5, 1.75
Images = Mapping[str, UInt8[np.ndarray, '_ _ 3']]


@dataclass(frozen=True, slots=True)
class Company:
    """How the expert is asked to drive, and who looks on.

    ``watch`` hears simulation, stamp and pictures of every instant.  ``beyond_s``: odometry goes
    on for so long after the last picture, so that what was driven after it is known.
    """

    wish: Wish = PLAIN
    watch: Callable[[Simulation, int, Images], None] = lambda sim, now_ns, images: None
    beyond_s: float = 0.0


ALONE = Company()


@dataclass(frozen=True, slots=True)
class DriveFacts:
    """What was recorded; ``end``: why the drive ended, '' where the seconds ran out first."""

    steps: int
    messages: int
    end: str
    rig: Rig


def record_drive(
    scenario: str | Scenario,
    seed: int,
    out: Path,
    seconds: float,
    size: tuple[int, int] | None = None,
    progress: Callable[[float], None] = lambda _: None,
    company: Company = ALONE,
) -> DriveFacts:
    """Write ``out`` (.mcap) and ``.rig.yaml`` beside it.

    Six JPEG cameras at 10 Hz, camera_info, odometry and tf at 50 Hz, ground_truth/objects,
    nav_instruction.  ``size`` (width, height in pixels): every picture is drawn up to it and given
    a grain, for benchmarks: files as large as a real camera's.  ``progress`` hears the simulated
    seconds.  ``company``: a wish for the expert, and an onlooker.
    """
    found = load_scenario(scenario) if isinstance(scenario, str) else scenario
    sim, rig = open_world(found, seed), rig_of(size)
    try:
        with SensorBag(out) as bag:
            tape = _Tape(bag, rig, sim)
            tape.begin()
            for step in range(max(1, round(seconds / STEP_S))):
                company.watch(sim, tape.now_ns, tape.look())
                if sim.done:
                    break
                tape.drive(company.wish)
                progress((step + 1) * STEP_S)
            tape.drive_on(company)
            bag.note({'origin': 'simulator', 'source': f'{found.name}, seed {seed}, the expert'})
            facts = DriveFacts(tape.steps, bag.counts.total(), sim.outcome.end, rig)
    finally:
        sim.close()
    write_rig(rig, out, 'A drive of the built-in simulator.')
    return facts


def rig_of(size: tuple[int, int] | None) -> Rig:
    """The simulated rig, its cameras scaled to ``size`` pixels (pixel centres as OpenCV's)."""
    rig = sim_rig()
    if size is None:
        return rig
    cameras = tuple(_scaled(camera, *size) for camera in rig.cameras)
    return rig.model_copy(update={'name': f'sim_{size[0]}x{size[1]}', 'cameras': cameras})


def _scaled(camera: RigCamera, width: int, height: int) -> RigCamera:
    scale = np.diag([width / camera.width, height / camera.height, 1.0])
    shift = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    matrix = np.linalg.inv(shift) @ scale @ shift @ camera.matrix
    intrinsics = {'hfov_deg': None, 'camera_matrix': tuple(float(v) for v in matrix.reshape(-1))}
    data = camera.model_dump() | intrinsics | {'width': width, 'height': height}
    return RigCamera.model_validate(data)


class _Tape:
    """Writes what the sensors of one simulated car say."""

    def __init__(self, bag: SensorBag, rig: Rig, sim: Simulation) -> None:
        self.bag, self.rig, self.sim, self.steps = bag, rig, sim, 0
        self._said = ''
        self._info_ns = -INFO_NS

    @property
    def now_ns(self) -> int:
        return EPOCH_NS + self.sim.now_ns

    def begin(self) -> None:
        """Where the cameras are, and the first odometry."""
        mounts = {('base_link', c.frame_id): c.base_from_optical for c in self.rig.cameras}
        self.bag.transforms('/tf_static', self.now_ns, mounts)

    def look(self) -> Images:
        """Odometry, truth, instruction and pictures of now."""
        now = self.now_ns
        self._odometry(self.sim.pose, now)
        topic = f'{NAMESPACE}/ground_truth/objects'
        self.bag.objects(topic, now, 'odom', 'ground_truth', boxes_of(self.sim.agents()))
        self._instruct(now)
        if now - self._info_ns >= INFO_NS:
            self._info_ns = now
            for camera in self.rig.cameras:
                self.bag.camera_info(f'{NAMESPACE}/{camera.info_topic}', now, camera)
        images = self.sim.images()
        for camera in self.rig.cameras:
            data = jpeg(images[camera.name], (camera.width, camera.height))
            topic = f'{NAMESPACE}/{camera.topic}'
            self.bag.compressed_image(topic, now, camera.frame_id, data)
        self.steps += 1
        return images

    def drive_on(self, company: Company) -> None:
        """Odometry alone, after the last picture."""
        for _ in range(round(company.beyond_s / STEP_S)):
            if self.sim.done:
                return
            self._odometry(self.sim.pose, self.now_ns)
            self.drive(company.wish)

    def drive(self, wish: Wish) -> None:
        """Let the expert drive 0.1 s; odometry of the way there."""
        before, start = self.sim.pose, self.now_ns
        command = expert.control(self.sim, wish)
        for tick in range(1, TICKS):
            pose = advance(before, *command, self.sim.vehicle, tick * STEP_S / TICKS, tick)
            self._odometry(pose, start + tick * STEP_NS // TICKS)
        self.sim.step(*command)

    def _instruct(self, now: int) -> None:
        """The instruction, when its wording changes (the first one always)."""
        text = self.sim.navigation
        said = from_text(text) if text != self._said else None
        if said is not None and not isinstance(said, Fault):
            self.bag.instruction(f'{NAMESPACE}/nav_instruction', now, said)
        self._said = text or FOLLOW_TEXT

    def _odometry(self, ego: EgoPose, stamp_ns: int) -> None:
        pose = planar(ego.x_m, ego.y_m, ego.heading_rad)
        turn = ego.speed_mps * math.tan(ego.steering_rad) / self.sim.vehicle.wheelbase_m
        linear, angular = np.array([ego.speed_mps, 0.0, 0.0]), np.array([0.0, 0.0, turn])
        topic = f'{NAMESPACE}/{self.rig.odometry.topic}'
        self.bag.odometry(topic, stamp_ns, ('odom', 'base_link'), pose, linear, angular)
        self.bag.transforms('/tf', stamp_ns, {('odom', 'base_link'): pose})


def planar(x_m: float, y_m: float, heading_rad: float) -> Float[np.ndarray, '4 4']:
    """Pose on the ground."""
    out = np.eye(4)
    out[:3, :3] = rotation_xyz(0.0, 0.0, heading_rad)
    out[:2, 3] = x_m, y_m
    return out


def boxes_of(agents: Iterable[Agent]) -> list[BoxRow]:
    """Boxes of the simulator's road users, in odom; lamps are none."""
    rows = []
    for a in agents:
        if a.kind == 'lamp':
            continue
        height = PEDESTRIAN_HEIGHT_M if a.kind == 'pedestrian' else CAR_HEIGHT_M
        along = np.array([math.cos(a.heading_rad), math.sin(a.heading_rad), 0.0])
        pose = planar(a.x_m, a.y_m, a.heading_rad)
        pose[2, 3] = height / 2
        size = (a.length_m, a.width_m, height)
        rows.append(BoxRow(int(a.id), a.kind, pose, a.speed_mps * along, size))
    return rows


@functools.lru_cache(maxsize=1)
def _grain(size: tuple[int, int]) -> Int16[np.ndarray, 'h w 3']:
    """Without it a drawn-up picture is a third of a camera's JPEG and decodes too fast."""
    one = np.random.default_rng(0).normal(0.0, GRAIN, (size[1], size[0], 1))
    return np.repeat(np.rint(one).astype(np.int16), 3, axis=2)


def jpeg(image: UInt8[np.ndarray, 'h w 3'], size: tuple[int, int]) -> bytes:
    """JPEG of an RGB picture; drawn up to ``size`` (width, height) where it has another."""
    if image.shape[1::-1] != size:
        up = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        image = cv2.add(up, _grain(size), dtype=cv2.CV_8U)
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    ok, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not ok:
        raise RuntimeError('OpenCV could not encode an image')
    return bytes(data.tobytes())
