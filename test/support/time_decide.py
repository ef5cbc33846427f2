"""CPU time of one decide: its ratio to a fixed piece of numpy, and its median in milliseconds.

Both are timed in turn in one process, so that a slow or busy machine slows both.
"""

from __future__ import annotations

import time

import numpy as np
from drives import SECOND, ego, noisy, truth

from alpamayo_ros.pipeline import PlanConfig, SafetyState, Scene, decide
from alpamayo_ros.types import Proposal, TrackedObject

STEP = SECOND // 10


def yardstick() -> None:
    """Work of the kind that decide does: many small operations on arrays of 8 x 60."""
    x = np.linspace(0.0, 1.0, 480).reshape(8, 60)
    for _ in range(100):
        x = np.sqrt(np.cumsum(np.sin(x), axis=1) ** 2 + 1.0) % 1.0


def main() -> None:
    """Drive a winding road for 4.5 s and time the last 3 s."""
    config = PlanConfig.from_files(auto_arm=True)
    bend = np.sin(np.arange(60) / 10) / 40
    state, spent, fixed = SafetyState(), [], []
    for cycle in range(45):
        t0 = cycle * STEP
        here = ego(8.0, t0, x=0.8 * cycle)
        objects = tuple(
            TrackedObject(i, 'car', t0, 15.0 + 5 * i, 3.5, 0.0, 6.0, 4.5, 1.8) for i in range(10)
        )
        proposal = Proposal(t0, noisy(truth(8.0, 0.0, bend)[0], 0.02, cycle), 'x')
        scene = Scene(here, here, objects, observed_ns=t0)
        begin = time.process_time()
        decision = decide(proposal, scene, state, config, t0 + STEP)
        spent.append((time.process_time() - begin) * 1e3)
        state = decision.state
        begin = time.process_time()
        yardstick()
        fixed.append((time.process_time() - begin) * 1e3)
    ratio = np.median(np.array(spent[-30:]) / np.array(fixed[-30:]))
    print(f'{ratio:.3f} {np.median(spent[-30:]):.3f}')


if __name__ == '__main__':
    main()
