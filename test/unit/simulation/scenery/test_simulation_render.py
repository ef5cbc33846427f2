"""Images: sizes, determinism, left and right, brake lights, several processes."""

import hashlib
import multiprocessing

import numpy as np
import pytest

pytest.importorskip('moderngl')

from alpamayo_ros.simulation.scenario import load_scenario
from alpamayo_ros.simulation.sim_rig import sim_cameras
from alpamayo_ros.simulation.worlds.simulation import Simulation

TRAINED_ON = {  # mean colour of each camera, seed 4
    'front': [106.1, 121.3, 115.0],
    'front_left': [108.2, 126.3, 111.6],
    'front_right': [102.2, 126.1, 99.4],
    'rear_left': [114.2, 130.4, 119.4],
    'rear': [110.3, 125.8, 119.3],
    'rear_right': [100.8, 127.3, 96.1],
}


def simulation(seed: int = 4) -> Simulation:
    sim = Simulation(load_scenario('winding_road'), seed)
    sim.place(60.0, stopped_car_gap_m=12.0)
    return sim


def digest() -> str:
    sim = simulation()
    images = sim.images()
    return hashlib.sha256(b''.join(images[c.name].tobytes() for c in sim_cameras())).hexdigest()


def test_six_images_of_the_rigs_sizes() -> None:
    images = simulation().images()
    assert list(images) == [c.name for c in sim_cameras()]
    for camera in sim_cameras():
        image = images[camera.name]
        assert image.shape == (camera.height, camera.width, 3) and image.dtype == np.uint8
        assert image.std() > 5, f'{camera.name} is empty'


def test_bytes_are_the_same_again_and_in_another_process() -> None:
    first = digest()
    assert first == digest()
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        assert pool.apply(digest) == first


def test_only_draws_the_same_pixels() -> None:
    sim = simulation()
    every, one = sim.images(), sim.images({'front', 'rear'})
    assert set(one) == {'front', 'rear'}
    assert (one['front'] == every['front']).all() and (one['rear'] == every['rear']).all()


def test_sky_is_up_and_brake_lights_light_up() -> None:
    sim = simulation()
    red = []
    for lit in (False, True):
        sim.scripted.lead.lit = lit
        front = sim.images({'front'})['front'].astype(int)
        centre = front[140:200, 220:340]
        red.append(
            int(((centre[..., 0] > 180) & (centre[..., 1] < 110) & (centre[..., 2] < 110)).sum())
        )
    assert red[0] == 0 and red[1] >= 20
    sky = np.array(sim._scenery.zenith) * 255
    assert np.abs(front[:10].mean((0, 1)) - sky).max() < 90


def test_cameras_look_where_the_rig_says() -> None:
    """A car beside the ego shows in the cameras of that side only."""
    sim = simulation()
    sim.scripted.oncoming = None
    sim.place(60.0)
    sim.scripted.lead = None
    empty = sim.images()
    for offset, side, other in ((4.0, 'left', 'right'), (-4.0, 'right', 'left')):
        for arc, end in ((64.0, 'front'), (57.0, 'rear')):
            sim.place(60.0, stopped_car_gap_m=arc - 60.0 - 3.6)
            sim.scripted.lead.offset_m = offset
            images = sim.images()
            changed = {k for k in images if (images[k] != empty[k]).mean() > 0.02}
            assert f'{end}_{side}' in changed and f'{end}_{other}' not in changed


def test_without_rendering_images_are_refused() -> None:
    with pytest.raises(RuntimeError, match='render=True'):
        Simulation(load_scenario('winding_road'), 0, render=False).images()


def test_meshes_are_released() -> None:
    sim = simulation()
    sim.images({'front'})
    held = len(sim._renderer._loaded)
    sim.close()
    assert len(sim._renderer._loaded) == held - 1


def test_winding_roads_look_as_they_did_in_training() -> None:
    """Nano was trained on these pictures; another GL may round, it may not look different."""
    images = simulation().images()
    means = {name: image.mean((0, 1)).round(1).tolist() for name, image in images.items()}
    for name, mean in TRAINED_ON.items():
        assert means[name] == pytest.approx(mean, abs=0.5), f'{name}: {means[name]}'
