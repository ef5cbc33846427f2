"""Odometry that lies in every way: what the buffer gives stays finite, in float32 too."""

import numpy as np
import pytest

from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import load_profile
from alpamayo_ros.sensing.derivative import SpeedDerivative
from alpamayo_ros.sensing.egomotion import EgoBuffer
from alpamayo_ros.sensing.odometry import from_message

NS, MS = 1_000_000_000, 1_000_000
PROFILE = load_profile('nano')
EPOCHS = (1, NS, 1_764_000_000 * NS, 2**62)
STEPS_NS = (*[20 * MS] * 12, 0, 1, -1, -20 * MS, 300 * MS, 3 * NS, -60 * NS, 100 * MS)
NUMBERS = (np.nan, np.inf, -np.inf, 1e308, -1e308, 1e160, 1e39, 5e-324, -0.0)
MOTION = ('poses', 'x_m', 'y_m', 'heading_rad', 'speed_mps', 'acceleration_mps2', 'yaw_rate_rps')
STREAMS = [60, pytest.param(5_000, marks=[pytest.mark.nightly, pytest.mark.timeout(0)])]


def finite(record) -> bool:
    """Whether the motion that it holds are numbers, and stay so as float32."""
    values = [getattr(record, name) for name in MOTION if hasattr(record, name)]
    with np.errstate(over='ignore'):
        return len(values) > 3 and all(np.isfinite(np.float32(v)).all() for v in values)


def messages(rng):
    """Stamps, frames and the 13 numbers of forty messages."""
    t_ns, x_m, speed_mps = int(rng.choice(EPOCHS)), 0.0, float(rng.uniform(0, 15))
    for _ in range(40):
        t_ns += int(rng.choice(STEPS_NS))
        x_m += speed_mps * 0.02 + (float(rng.choice([1, 5, 1e6])) if rng.random() < 0.02 else 0.0)
        values = [x_m, 0, 0, 0, 0, 0, 1, speed_mps, 0, 0, 0, 0, float(rng.normal() * 0.2)]
        if rng.random() < 0.1:
            values[rng.integers(13)] = float(rng.choice(NUMBERS))
        frames = ('odom', 'base_link') if rng.random() < 0.98 else ('map', 'x' * 10_000)
        yield t_ns, frames, tuple(map(float, values))


@pytest.mark.parametrize('count', STREAMS)
def test_nothing_that_is_not_finite_comes_out(count):
    histories = 0
    for seed in range(count):
        rng = np.random.default_rng(seed)
        buffer = EgoBuffer(derive_acceleration=bool(seed % 2))
        derivative = SpeedDerivative(0.1)
        for t_ns, frames, values in messages(rng):
            state = from_message(t_ns, frames, values)
            if not isinstance(state, Fault):
                buffer.push(derivative.complete(state))
            assert buffer.newest is None or np.isfinite(buffer.newest.acceleration_mps2)
            for at_ns in (t_ns, t_ns - 10 * MS, t_ns + 30 * MS, t_ns + 10 * NS):
                buffer.gap_fault(at_ns)
                past, now = buffer.history(at_ns, PROFILE), buffer.state_at(at_ns, PROFILE)
                assert isinstance(past, Fault) or finite(past)
                assert now is None or finite(now)
                histories += not isinstance(past, Fault)
    assert histories > 10 * count
