"""CPU time of one decide in milliseconds: prints the 10th percentile of 30 calls, and the median.

The low percentile says what the code costs; the median also what the neighbours do to the cache.
"""

from __future__ import annotations

import time

import numpy as np
from drives import SECOND, ego, noisy, truth

from alpamayo_ros.pipeline import PlanConfig, SafetyState, Scene, decide
from alpamayo_ros.types import Proposal, TrackedObject

STEP = SECOND // 10


def main() -> None:
    """Drive a winding road for 4.5 s and time the last 3 s."""
    config = PlanConfig.from_files(auto_arm=True)
    bend = np.sin(np.arange(60) / 10) / 40
    state, spent = SafetyState(), []
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
    print(f'{np.percentile(spent[-30:], 10):.3f} {np.median(spent[-30:]):.3f}')


if __name__ == '__main__':
    main()
