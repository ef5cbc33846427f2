"""A segment of comma2k19 is read as it is handed out, and as numpy files side by side."""

from pathlib import Path

import numpy as np
import pytest

from alpamayo_ros.datasets.comma2k19 import STREAMS, read_segment

STEPS = 40
NORTH_POLE_M = (0.0, 0.0, 6356752.3)


def rows() -> dict[str, np.ndarray]:
    """Two seconds at 5 m/s over the pole, the steering wheel at 10 degrees."""
    time = np.arange(STEPS) / 20.0
    place = np.array(NORTH_POLE_M) + np.outer(time, [5.0, 0.0, 0.0])
    return {
        'frame_times': time,
        'frame_positions': place,
        'frame_velocities': np.tile([5.0, 0.0, 0.0], (STEPS, 1)),
        'frame_orientations': np.tile([0.0, 1.0, 0.0, 0.0], (STEPS, 1)),
        'speed_t': time,
        'speed_value': np.full((STEPS, 1), 5.0),
        'steering_angle_t': time,
        'steering_angle_value': np.full(STEPS, 10.0),
    }


def save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('wb') as file:
        np.save(file, values)


def test_both_layouts_are_the_same_segment(tmp_path: Path):
    for name, values in rows().items():
        save(tmp_path / 'flat' / f'{name}.npy', values)
        save(tmp_path / 'segment' / STREAMS[name][1], values)
    flat, segment = (read_segment(tmp_path / name) for name in ('flat', 'segment'))
    assert segment.stamps_ns == flat.stamps_ns and len(flat.stamps_ns) == STEPS
    assert np.array_equal(segment.base_in_odom, flat.base_in_odom)
    assert segment.linear_mps[:, 0] == pytest.approx(5.0)
    assert segment.steering[1] == pytest.approx(np.radians(10.0) / 16.9)


def test_a_part_of_a_segment_says_which_folder_is_expected(tmp_path: Path):
    for name, values in rows().items():
        save(tmp_path / STREAMS[name][1], values)
    with pytest.raises(FileNotFoundError, match='the folder that holds global_pose'):
        read_segment(tmp_path / 'processed_log')
