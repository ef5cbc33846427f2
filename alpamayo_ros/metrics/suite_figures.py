"""What the figures of a suite mean, as ``METRICS`` says it of those of a replay."""

from __future__ import annotations

from alpamayo_ros.metrics import METRICS, Definition

ALPASIM, OWN = 'AlpaSim, NVIDIA 2025', 'this package, evaluation/scores.py'
SUBJECTS = {
    'light': 'red, yellow or green light',
    'lead': 'a vehicle ahead, and its state',
    'pedestrian': 'people near the way ahead, and those who cross',
    'manoeuvre': 'what the intent announces, against what was driven',
}
FIGURES: dict[str, Definition] = {
    d.name: d
    for d in (
        Definition(
            'drive_score', '', 'higher',
            '0 after a contact at fault or off the road, else progress x kept rules x comfort '
            '(which moves at most a sixth).', OWN,
        ),
        Definition(
            'scene_score', '', 'higher',
            '0 after a contact at fault or off the road, else min(progress / 0.8, 1).', ALPASIM,
        ),
        Definition(
            'at_fault_free_share', 'share', 'higher', 'Drives without a contact at fault.', OWN
        ),
        Definition(
            'incident_free_share', 'share', 'higher',
            'Drives without a contact at fault that stayed on the road.', OWN,
        ),
        Definition(
            'right_share', 'share', 'higher', "Drives that went right by their scenario's rule.",
            'simulation/verdict.py',
        ),
        Definition(
            'mean_progress', '', 'higher',
            'Share of the distance that route and traffic allowed.', ALPASIM,
        ),
        Definition(
            'exits_taken', 'share', 'higher',
            'Exits of junctions, roundabouts and motorways that were taken as instructed, of '
            'those that were decided.', 'simulation/forks.py',
        ),
        Definition(
            'km_per_incident', 'km', 'higher',
            'Distance driven for each contact at fault or leaving of the road.', ALPASIM,
        ),
        Definition(
            'comfort', '', 'higher', "Share of nuPlan's six bounds that were kept.",
            METRICS['comfortable'].source,
        ),
        Definition(
            'rules', '', 'higher',
            'Product of the penalties: 0.7 a red light, 0.8 a stop line, and the shares of time '
            'within the speed limit and in the right direction.', 'CARLA Leaderboard 2.0; ' + OWN,
        ),
        METRICS['coc_facts_f1'],
        *(
            Definition(f'{subject}_f1', 'share', 'higher', f'Of the facts: {what}.', OWN)
            for subject, what in SUBJECTS.items()
        ),
        METRICS['agreement'],
    )
}  # fmt: skip
