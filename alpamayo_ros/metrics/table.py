"""Every metric by name: unit, which way is better, what it is and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

UNIAD = 'UniAD, Hu et al. 2023'
STP3 = 'ST-P3, Hu et al. 2022; VAD, Jiang et al. 2023'
ARGOVERSE = 'Argoverse 2, Wilson et al. 2021'
NUPLAN = 'nuPlan, Caesar et al. 2021'
CARLA = 'CARLA scenario_runner'
OWN = 'this package'


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric.  ``better``: lower or higher; '' where neither is."""

    name: str
    unit: str
    better: Literal['lower', 'higher', '']
    sentence: str
    source: str


def _displacement() -> list[Definition]:
    out = []
    for t in (1, 2, 3, 6):
        s = f'{t} s'
        out += [
            Definition(f'l2_at_{t}s', 'm', 'lower', f'Distance to the driven path at {s}.', UNIAD),
            Definition(
                f'l2_up_to_{t}s', 'm', 'lower', f'Mean distance over all points up to {s}.', STP3
            ),
        ]
    out += [
        Definition('ade', 'm', 'lower', 'Mean distance over the full horizon.', ARGOVERSE),
        Definition('fde', 'm', 'lower', 'Distance at the end of the full horizon.', ARGOVERSE),
    ]
    for t in (1, 2, 3, 6):
        out += [
            Definition(
                f'min_ade_k_{t}s',
                'm',
                'lower',
                f'Mean distance up to {t} s of the candidate of least mean distance over the '
                'full horizon.',
                ARGOVERSE + '; the arg-min of the full horizon at every time: ' + OWN,
            ),
            Definition(
                f'min_fde_k_{t}s',
                'm',
                'lower',
                f'Distance at {t} s of the candidate that ends nearest at the full horizon.',
                ARGOVERSE + '; the arg-min of the full horizon at every time: ' + OWN,
            ),
        ]
    return [*out, *_far_off()]


def _far_off() -> list[Definition]:
    missed = 'Share of cycles in which no candidate ends within 2 m of the driven path.'
    astray = 'Share of plans more than 6 m from the driven path at any time up to 3 s.'
    mean = 'Mean difference of the heading from the driven one over the full horizon.'
    end = 'Difference of the heading from the driven one at the end of the full horizon.'
    return [
        Definition('miss_rate_k_2m', 'share', 'lower', missed, ARGOVERSE),
        Definition('miss_rate_6m_up_to_3s', 'share', 'lower', astray, NUPLAN),
        Definition('heading_error_mean', 'rad', 'lower', mean, NUPLAN),
        Definition('heading_error_end', 'rad', 'lower', end, NUPLAN),
    ]


def _safety() -> list[Definition]:
    out = [
        Definition(
            f'collision_up_to_{t}s',
            'share',
            'lower',
            f'Share of plans whose oriented box touches that of an object up to {t} s.',
            'ST-P3, Hu et al. 2022, with oriented boxes',
        )
        for t in (1, 2, 3, 6)
    ]
    return [
        *out,
        Definition(
            'ttc_within_bound',
            'share',
            'higher',
            'Share of plans in whose first 3 s nobody ahead is less than 0.95 s away, if both '
            'keep speed and heading.',
            NUPLAN,
        ),
        Definition(
            'offroad',
            'share',
            'lower',
            'Share of plans with a corner of the box more than 0.3 m outside the drivable area.',
            NUPLAN,
        ),
        Definition(
            'comfortable',
            'share',
            'higher',
            "Share of drives that keep nuPlan's six bounds at every time, smoothed as there.",
            NUPLAN,
        ),
        Definition(
            'comfortable_plan',
            'share',
            'higher',
            'Share of plans that keep the same bounds over their horizon, from t0 on.',
            NUPLAN + ', applied to plans: ' + OWN,
        ),
        Definition(
            'lateral_jerk_max',
            'm/s3',
            'lower',
            'Largest lateral jerk of a plan, smoothed as the bounds of comfort are.',
            NUPLAN + ', applied to plans: ' + OWN,
        ),
        Definition(
            'plan_to_plan_mean',
            'm',
            'lower',
            'Mean distance of two successive plans over the time they share.',
            OWN,
        ),
        Definition(
            'plan_to_plan_max',
            'm',
            'lower',
            'Largest distance of two successive plans over the time they share.',
            OWN,
        ),
    ]


def _spread() -> list[Definition]:
    return [
        Definition(
            'energy_score_at_3s',
            'm',
            'lower',
            'Fair energy score of the candidates at 3 s: near the truth and honestly spread.',
            'Gneiting and Raftery 2007; Ferro 2014',
        ),
        Definition(
            'spread_coverage_50_at_3s',
            'share',
            '',
            'Share of cycles whose truth lies in the 50 % prediction ellipse at 3 s; '
            'calibrated: 0.5.',
            'Hotelling 1931',
        ),
        Definition(
            'spread_calibration_error_at_3s',
            'share',
            'lower',
            'Mean over nine deciles of how far the coverage of the ellipses at 3 s is from it.',
            'Hotelling 1931; ' + OWN,
        ),
    ]


def _words() -> list[Definition]:
    return [
        Definition(
            'coc_rouge_l',
            'share',
            'higher',
            'ROUGE-L F1 of the chain of causation against the reference text.',
            'Lin 2004',
        ),
        Definition(
            'coc_facts_f1',
            'share',
            'higher',
            'Micro F1 of claimed facts against the truth: light, lead vehicle, pedestrian, '
            'manoeuvre.',
            OWN,
        ),
        Definition(
            'agreement',
            'share',
            'higher',
            'How far the selected path does what the intent announces.',
            OWN,
        ),
    ]


def _rules() -> list[Definition]:
    return [
        Definition(
            'red_light_rate', 'share', 'lower', 'Share of passed lights passed on red.', CARLA
        ),
        Definition(
            'stop_line_rate',
            'share',
            'lower',
            'Share of passed stop signs without standing within 4 m before the line.',
            CARLA,
        ),
        Definition(
            'speed_limit_time',
            'share',
            'lower',
            'Share of the time with a known limit driven faster than it.',
            OWN,
        ),
        Definition(
            'speed_over_limit_max', 'm/s', 'lower', 'Largest speed above the limit.', NUPLAN
        ),
        Definition(
            'lane_changes',
            'count',
            '',
            'Lane changes of a drive, begun when a corner enters another lane.',
            NUPLAN,
        ),
        Definition(
            'lane_change_fail_rate',
            'share',
            'lower',
            'Share of lane changes that end in the first lane, off all lanes, or not at all.',
            NUPLAN,
        ),
        Definition(
            'wrong_way',
            'share',
            'lower',
            'Share of drives that went 2 m or more against their lane within 1 s.',
            NUPLAN,
        ),
    ]


def _times() -> list[Definition]:
    out = []
    for name, sentence in (
        ('input_age_ms', 'Age of the pictures when their candidates left the planner'),
        ('plan_age_ms', "Age of the model's plan at every reference to the controller"),
        ('cycle_ms', 'Wall time of a cycle'),
    ):
        for p, word in (('p50', 'median'), ('p99', '99th percentile')):
            out.append(Definition(f'{name}_{p}', 'ms', 'lower', f'{sentence}, {word}.', OWN))
    late = 'Cycles that took longer than their period, dropped ones included.'
    return [*out, Definition('deadline_misses', 'count', 'lower', late, OWN)]


GROUPS: dict[str, tuple[Definition, ...]] = {
    'Distance to the driven path': tuple(_displacement()),
    'Safety, comfort, consistency': tuple(_safety()),
    'Spread of the candidates': tuple(_spread()),
    'Chain of causation': tuple(_words()),
    'Traffic rules': tuple(_rules()),
    'Ages and times': tuple(_times()),
}
METRICS: dict[str, Definition] = {d.name: d for group in GROUPS.values() for d in group}
