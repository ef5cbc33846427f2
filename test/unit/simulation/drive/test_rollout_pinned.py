"""The four scenarios of the demonstration drive as they did when nano was measured on them.

Figures were taken at commit e9d52e1, before the suite's scenario engine was built.
"""

import hashlib
import json

import pytest

from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.drive.drive import rollout
from alpamayo_ros.simulation.drive.planners import ExpertPlanner, StraightPlanner
from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.worlds.open_world import open_world

PROFILE = load_profile('nano')
pytestmark = pytest.mark.timeout(180)  # a machine that trains beside the tests
KEYS = """name seed mode duration_s distance_m collisions_at_fault offroad_s progress score end
mean_offset_m max_offset_m collisions stops restarts left_lane gap_m moved_on right plans
fallback_plans first_plan_s red_lights""".split()
PLANNERS = {'expert': ExpertPlanner, 'straight': StraightPlanner}
DRIVES = [  # scenario, seed, planner, distance after 12 s, digest of the row and all the poses
    ('winding_road', 3, 'expert', 67.742, 'cd0578274ed85cad'),
    ('winding_road', 0, 'straight', 37.829, '76974b505d563fab'),
    ('stopped_car', 101, 'expert', 67.75, 'f10c4abb5d16993b'),
    ('stopped_car', 0, 'straight', 37.829, '4934c92c64064a90'),
    ('slowing_leader', 3, 'expert', 60.969, '298561ba53d6f955'),
    ('slowing_leader', 101, 'expert', 59.805, 'c8680b4c6426e786'),
    ('town_drive', 3, 'expert', 18.115, 'f8d67b6424f28228'),
    ('town_drive', 101, 'expert', 36.298, '837739690bc54d41'),
]
IMAGES = [  # scenario, seed, digest by Mesa 22.3.6 (256 bits), mean of each camera's pixels
    ('winding_road', 4, '172a8649ea9162cb', [116.19, 120.39, 118.22, 116.73, 116.38, 121.12]),
    ('slowing_leader', 2, '0b597b221801b2a9', [142.69, 139.56, 113.46, 136.52, 143.9, 113.0]),
    ('town_drive', 3, '556b9043524c1809', [134.23, 103.47, 130.26, 126.25, 109.06, 111.87]),
]
DRIVER = 'llvmpipe (LLVM 15.0.6, 256 bits)'


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


@pytest.mark.parametrize(('name', 'seed', 'planner', 'distance_m', 'expected'), DRIVES)
def test_a_drive_is_what_it_was(
    name: str, seed: int, planner: str, distance_m: float, expected: str
) -> None:
    poses = []

    def watch(cycle) -> None:
        numbers = (cycle.ego.x_m, cycle.ego.y_m, *cycle.command)
        poses.append([round(number, 5) for number in numbers])

    scenario = load_scenario(name).model_copy(update={'duration_s': 12.0})
    row = rollout(scenario, seed, PLANNERS[planner](PROFILE), watch=watch).as_dict()
    assert row['distance_m'] == distance_m
    assert digest(json.dumps([[row[k] for k in KEYS], poses]).encode()) == expected


@pytest.mark.parametrize(('name', 'seed', 'expected', 'means'), IMAGES)
def test_images_are_what_they_were(
    name: str, seed: int, expected: str, means: list[float]
) -> None:
    pytest.importorskip('moderngl')
    from alpamayo_ros.simulation.scenery.render import shared_renderer

    sim = open_world(load_scenario(name), seed)
    images = sim.images()
    sim.close()
    names = sorted(images)
    assert [images[n].mean() for n in names] == pytest.approx(means, abs=0.05)
    if shared_renderer()._ctx.info['GL_RENDERER'] == DRIVER:
        assert digest(b''.join(images[n].tobytes() for n in names)) == expected
