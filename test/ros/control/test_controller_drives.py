"""Twenty drives with the controller's commands score as those that follow the reference."""

from __future__ import annotations

import statistics

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from commanded import ReferenceDrive

from alpamayo_ros.profile import load_profile
from alpamayo_ros.simulation.batch import suite
from alpamayo_ros.simulation.drive.drive import Options
from alpamayo_ros.simulation.drive.planners import open_planner
from alpamayo_ros.simulation.drive.verdict import Row
from alpamayo_ros.simulation.scenario import Scenario

SEED, DRIVES, WITHIN = 7, 20, 0.02


def jobs() -> list[tuple[Scenario, int]]:
    """The first template of each family, then the second ones; once more with the next seed."""
    found: dict[str, list[Scenario]] = {}
    for template in suite.templates('val'):
        found.setdefault(template.family, []).append(template)
    longest = max(map(len, found.values()))
    turn = [some[i] for i in range(longest) for some in found.values() if i < len(some)]
    return [(turn[i % len(turn)], SEED + i // len(turn)) for i in range(DRIVES)]


def driven(scenario: Scenario, seed: int, commanded: bool) -> Row:
    planner = open_planner('expert', load_profile('nano'))
    drive = ReferenceDrive(scenario, seed, planner, Options(), commanded=commanded)
    try:
        while not drive.sim.done:
            drive.step()
        return drive.row()
    finally:
        drive.close()


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_twenty_drives_score_the_same_with_the_controller_in_the_loop() -> None:
    rows = [[driven(*job, commanded) for commanded in (False, True)] for job in jobs()]
    for (direct, through), (scenario, seed) in zip(rows, jobs(), strict=True):
        print(f'{scenario.name:28} {seed} {direct.score:.3f} {through.score:.3f} {through.end}')
    means = [statistics.mean(pair[i].score for pair in rows) for i in (0, 1)]
    print(f'{len(rows)} drives: {means[0]:.4f}, {means[1]:.4f}')
    assert len(rows) == DRIVES and means[0] > 0.5  # else nothing was compared
    assert abs(means[1] - means[0]) <= WITHIN
