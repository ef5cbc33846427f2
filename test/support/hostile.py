"""Makers of candidates: a sound one, and what nothing sound would propose."""

import numpy as np
from drives import P, truth


def sound(rng, speed):
    return truth(speed, rng.normal() * 0.5, rng.normal() * 0.01)[0]


def not_numbers(rng, speed):
    path = sound(rng, speed)
    path[rng.integers(P), rng.integers(3)] = rng.choice([np.nan, np.inf, -np.inf])
    return path


def all_nan(rng, speed):
    return np.full((P, 3), np.nan)


def backwards(rng, speed):
    return sound(rng, speed) * [-1, 1, 1]


def folded(rng, speed):
    path = sound(rng, speed)
    path[P // 2 :] = path[P // 2 : P // 2 + 1] * 2 - path[P // 2 :]
    return path


def jump(rng, speed):
    path = sound(rng, speed)
    path[rng.integers(P) :, :2] += rng.normal(size=2) * 20
    return path


def impossible_bend(rng, speed):
    angle = np.cumsum(np.full(P, rng.choice([-1, 1]) * rng.uniform(0.2, 3.0)))
    return np.column_stack([np.cumsum(np.cos(angle)), np.cumsum(np.sin(angle)), angle]) * 0.8


def huge(rng, speed):
    return sound(rng, speed) * 10.0 ** rng.integers(3, 30)


def too_fast(rng, speed):
    return truth(speed + rng.uniform(5, 60), 3.0, 0.0)[0]


def slalom(rng, speed):
    path = sound(rng, speed)
    path[:, 1] += rng.uniform(0.5, 3) * np.sin(np.arange(P) * rng.uniform(0.3, 3))
    return path


def spinning(rng, speed):
    path = sound(rng, speed)
    path[:, 2] += np.arange(P) * rng.normal() * 3
    return path


def noise_alone(rng, speed):
    return rng.normal(size=(P, 3)) * rng.choice([0.1, 3.0, 100.0])


def elsewhere(rng, speed):
    return sound(rng, speed) + rng.normal(size=3) * [30, 30, 2]


MAKERS = (
    sound, not_numbers, all_nan, backwards, folded, jump, impossible_bend, huge, too_fast, slalom,
    spinning, noise_alone, elsewhere,
)  # fmt: skip
