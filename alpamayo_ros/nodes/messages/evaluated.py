"""All candidates of one cycle with what was found about them: feasible paths, costs, checks."""

from __future__ import annotations

import math

from alpamayo_ros.msg import CandidateArray, PlannedTrajectory
from alpamayo_ros.nodes.common import convert
from alpamayo_ros.nodes.common.convert import floats
from alpamayo_ros.nodes.messages import plans
from alpamayo_ros.safety.acceptance import Judgement


def message(judgement: Judgement, plan: PlannedTrajectory) -> CandidateArray:
    """The judged proposal with the second half of its fields filled in; ``plan`` came of it."""
    out = convert.candidates_message(judgement.proposal, plan.dt_s)
    out.pose_in_odom, out.odom_frame = plan.pose_in_odom, plan.odom_frame
    out.runtime, out.manifest_hash = plan.runtime, plan.manifest_hash
    out.view_mask, out.published = plan.view_mask, plan.published
    feasible, checks, costs = judgement.feasible, judgement.checks, judgement.costs
    for k, candidate in enumerate(out.candidates):
        if feasible is not None:
            candidate.feasible_x_m = floats(feasible.poses[k, :, 0])
            candidate.feasible_y_m = floats(feasible.poses[k, :, 1])
            candidate.feasible_heading_rad = floats(feasible.poses[k, :, 2])
            candidate.feasible_speed_mps = floats(feasible.speed_mps[k])
        if checks is not None:
            candidate.feasible = bool(checks.ok[k])
            candidate.checks = [plans.check(item) for item in checks.of(k)]
        if costs is not None:
            candidate.cost = float(costs.total[k]) if candidate.feasible else math.nan
            candidate.cost_terms = list(costs.terms)
            candidate.cost_values = floats([values[k] for values in costs.terms.values()])
        candidate.selected = k == judgement.chosen
    return out
