"""Metrics of plans, drives and words: each with its protocol in its name.

``None`` means 'not evaluable'; nothing here returns NaN.  ``METRICS`` lists all names with unit,
definition and source; ``docs/metrics.md`` shows it.
"""

from alpamayo_ros.metrics.aggregate import (
    Interval,
    f1_ci95,
    mean_ci95,
    ratio_ci95,
    wilson,
)
from alpamayo_ros.metrics.agreement import agreement, driven_intent
from alpamayo_ros.metrics.calibration import (
    calibration_error,
    coverage,
    energy_score_at_t,
    spread_level_at_t,
)
from alpamayo_ros.metrics.collision import (
    Footprint,
    collision_at_times,
    collision_up_to_t,
    overlap,
)
from alpamayo_ros.metrics.comfort import Comfort, lateral_jerk_max, nuplan_comfort
from alpamayo_ros.metrics.consistency import Consistency, plan_to_plan
from alpamayo_ros.metrics.displacement import (
    HORIZONS_S,
    ade,
    cycle_displacement,
    fde,
    l2_at_t,
    l2_up_to_t,
    min_ade_k,
    min_fde_k,
    miss_rate,
    missed,
)
from alpamayo_ros.metrics.heading import heading_errors
from alpamayo_ros.metrics.lane_changes import LaneChange, failed_share, lane_changes
from alpamayo_ros.metrics.language import (
    FACTS,
    FactCounts,
    coc_facts,
    f1,
    facts_by_subject,
    facts_f1,
    rouge_l,
)
from alpamayo_ros.metrics.offroad import offroad, offroad_up_to_end
from alpamayo_ros.metrics.rules import (
    RuleStep,
    Violations,
    per_km,
    red_light,
    speed_limit,
    speed_over_limit,
    stop_line,
    wrong_way,
)
from alpamayo_ros.metrics.table import METRICS, Definition
from alpamayo_ros.metrics.time_gap import steady_time_gap
from alpamayo_ros.metrics.time_to_collision import ttc_within_bound
from alpamayo_ros.metrics.words import COUNTERFACTUAL, INTENTS, PARTS, split, stated_intent

__all__ = [
    'HORIZONS_S',
    'INTENTS',
    'METRICS',
    'COUNTERFACTUAL',
    'PARTS',
    'Comfort',
    'Consistency',
    'Definition',
    'FACTS',
    'FactCounts',
    'Footprint',
    'Interval',
    'LaneChange',
    'RuleStep',
    'Violations',
    'ade',
    'agreement',
    'calibration_error',
    'coc_facts',
    'collision_at_times',
    'collision_up_to_t',
    'coverage',
    'cycle_displacement',
    'driven_intent',
    'energy_score_at_t',
    'f1',
    'f1_ci95',
    'facts_by_subject',
    'facts_f1',
    'failed_share',
    'fde',
    'l2_at_t',
    'l2_up_to_t',
    'mean_ci95',
    'min_ade_k',
    'min_fde_k',
    'miss_rate',
    'heading_errors',
    'lane_changes',
    'lateral_jerk_max',
    'missed',
    'ttc_within_bound',
    'nuplan_comfort',
    'offroad',
    'offroad_up_to_end',
    'overlap',
    'per_km',
    'plan_to_plan',
    'ratio_ci95',
    'red_light',
    'rouge_l',
    'speed_limit',
    'speed_over_limit',
    'split',
    'spread_level_at_t',
    'stated_intent',
    'steady_time_gap',
    'stop_line',
    'wilson',
    'wrong_way',
]
