"""docs/metrics.md, written from the table: ``python -m alpamayo_ros.metrics.page``."""

from __future__ import annotations

import sys

from alpamayo_ros.metrics.agreement import BACK_RAD, LANE_CHANGE_M, SPEED_BAND_MPS, TURN_RAD
from alpamayo_ros.metrics.comfort import BOUNDS
from alpamayo_ros.metrics.speed_change import CHANGE_MPS, STANDING_MPS, STOPPED_MPS
from alpamayo_ros.metrics.table import GROUPS

HEAD = """# Metrics

<!-- Written by `python -m alpamayo_ros.metrics.page > docs/metrics.md`; a test holds
the two equal. -->

Every name says its protocol, so that two figures of the same name can be compared. The code is
`alpamayo_ros/metrics/`, a module a group; `METRICS` in `table.py` holds this table.

- Paths are (x, y) in metres in base_link (rear axle, x forward, y left) at t0; point i lies at
  (i + 1) dt after t0. A time t is evaluated at the point of that time only, never in between.
- **Not evaluable** is `None` (JSON `null`), never 0 and never NaN: where the truth, the objects,
  the map or the text is not known, a number is not finite, or the time lies beyond the path.
  A mean over a path needs the truth at *every* one of its points, so that no figure is a mean
  over the part that happened to be known. Rates and means are over the evaluable cycles; their
  number stands beside them in every report.
- k is the number of candidates of the profile (8 for nano). One candidate is chosen over the
  full horizon and used at every shorter time too.
- Intervals are 95 % bootstraps over whole groups (drives, or templates of a suite): 2000
  resamples, a fixed seed, the same result in any order of the groups. With one group there is
  none.
"""

FACTS = f"""
## What counts as a fact

`coc_facts_f1` takes from the words: `light` red, yellow, green; `lead` present, and standing,
braking or moving; `pedestrian` present, and crossing; `manoeuvre` as announced by the intent.
Only claims of presence count: "no vehicle ahead" is right when nobody is there, but no hit, and
where somebody is there he is a fact left unsaid. Counts are summed over a drive before F1 is
taken. What the truth does not know is not judged.

**Seen, not known from the map.** In a simulated drive a light, a lead vehicle or a pedestrian is
true where the pictures that the planner got show it: the rule by which the annotator chooses its
words (`simulation/drive/visibility.py`; enough pixels of one camera lie on it by the picture's
own depth and stand out from around it). What is there and no picture shows, behind a bend or a
truck, in fog or at night, is neither true nor false: to name it costs nothing, and to leave it
out costs nothing. A claim that does not hold of it either, such as a moving vehicle where a
hidden one stands, is false as anywhere. Pictures count as they were rendered, before faults and
`--ablate`: a model with black pictures leaves unsaid what they would have shown. Where a planner
is shown none, its false claims alone count.

Of people up to 3 m from the way ahead it is a lack to say nothing; of those who are seen up to 8 m
from it words may speak and need not.

A change of speed is *slow* or *speed_up* from {CHANGE_MPS} m/s on, now against 3 s later, and a
*stop* below {STOPPED_MPS} m/s at the end of 6 s, as the annotator says it
(`metrics/speed_change.py`).

**Foreseen, not known from the future.** A manoeuvre is true where the car did it in the 6 s
after t0 and a good driver was about to do it at t0 (the expert's plan of that instant, which
knows who is there and how they move, and not when a light will change). What was done or
foreseen alone, such as driving on 4 s after one still had to wait, is neither true nor false,
and so is a lane change in a bend, which cannot be told from it.

**The ceiling.** `python tools/word_ceiling.py` lets the expert drive and say what the annotator
says of its plan, the words that models are taught. Where that scores low, the rule is at fault.
On `val`, seed 0 (18 drives): F1 0.983 (light 0.998, lead vehicle 0.997, pedestrian 1.000,
manoeuvre 0.967), agreement 0.991; the same drives under words that look at nothing ("no vehicle
ahead", "keep speed and keep the lane", `--say`): 0.131, agreement 0.637. Before 2026-11-29 the
manoeuvre was whatever was done in the 6 s after; by that rule those same words had 0.877, of
manoeuvres 0.767, which no model could have passed: they said "wait" at a light that turned green
2 s later.

What the rule makes of models on the same drives: nano 0.2.1 0.813 (0.757 by the rule of before;
lead vehicle 0.894, manoeuvre 0.886, and none of lights and people, for which its grammar had no
words), agreement 0.969; nano_words 0.1.0 0.838 (light 0.865, lead vehicle 0.864, pedestrian
0.323, manoeuvre 0.838), agreement 0.963. nano 0.3.2 on `test`, seeds 100 and 101: 0.866
(0.921, 0.853, 0.453, 0.909), agreement 0.980; nano 0.2.1 there 0.819, 0.973. Before 2026-11-28
the truth counted what is hidden, and called a change of speed by 1.0 m/s.
"""

CHECKED = """
## How they are checked

Each metric has vectors worked by hand (`test/unit/metrics/test_metrics_*.py`) and, where one
exists, an independent implementation on random and edge inputs (`test/parity/test_oracles_*.py`):

| ours | oracle | tolerance |
|---|---|---|
| overlap of boxes, ours and the simulator's | commonroad-drivability-checker, shapely | same \
answer, unless 1 nm of size changes it |
| off-road | point to segment distances written out | same answer |
| kinematic bicycle | commonroad-vehicle-models, solved to 1e-11 | 1e-7 m, rad, m/s |
| time to collision | loops over shapely's polygons | same answer, unless the gap is under 1 um |
| lane changes | a pattern in a text of one letter a step, lanes by their number | same changes |
| headings, lateral jerk | scipy's rotations and savgol_filter | 1e-12 rad, 1e-8 |
| displacement metrics | scipy's cdist and loops | 1e-9 m |
| plan-to-plan | scipy's Rotation and interp1d | 1e-9 m |
| smoothing and comfort | scipy's savgol_filter as nuplan-devkit calls it | 1e-8 |
| energy score | scipy's energy_distance (points on a line) | 1e-6 m |
| spread level | scipy's F distribution of Hotelling's T2 | 1e-6 |
| ROUGE-L | Google's rouge-score | 1e-12 |
| bootstrap, Wilson's interval | scipy.stats | a seventh of the width; 1e-7 |

Facts, agreement, rules and times are definitions of this package and are checked by hand only.
All displacement metrics of a cycle (8 candidates of 60 points) take 0.13 ms, contact with 20
objects at 60 times 0.15 ms, on one core of a small server.
"""

LIMITS = """
## What these figures do not say

- L2 to a recorded path punishes a good plan that differs from the person's, and in open loop the
  car is put back on the recorded path at every t0. A low L2 is no safe drive; drive the suite.
- `l2_at_3s` and `l2_up_to_3s` of the same plans differ by nearly a factor of two (UniAD's: 1.65
  and 0.91 m). Published figures named "L2 (3 s)" are one or the other; compare like with like.
- Collisions in open loop are against objects that do not react to the plan.
- `comfortable` takes accelerations at the rear axle (nuPlan: at the middle of the car).
- `agreement` has no map: following a bend of more than 20 degrees counts as a turn, and lane
  changes are found on straight roads only.
- `spread_*` assume candidates and truth from one normal distribution at each time; the floor of
  5 cm is the noise of a recorded path.
- The rules are those of the simulator's map; where a recording has no map they are not
  evaluable.
"""


def _agreement() -> str:
    low, high = LANE_CHANGE_M
    turn, back = (round(r * 57.29577951) for r in (TURN_RAD, BACK_RAD))
    return f"""
## When words and path agree

The intent part may announce stop, wait, slow, keep, speed up, left, right and lane changes.
Driven is, from now to the last half second of the path: *wait* below {STANDING_MPS} m/s
throughout, *stop* below {STANDING_MPS} m/s at the end, *keep* within {SPEED_BAND_MPS} m/s, else
*slow* or *speed up*; *left* or *right* from {turn} degrees of heading; a *lane change* at {low}
to {high} m aside with the heading back within {back} degrees. Each announced thing scores 1 where
it is driven, 0 where its opposite is, 0.5 where the horizon leaves it open; `agreement` is their
mean. Words of a change of speed name no time, so they fit where they fit the end of the path or
its middle, the latter by the rule of `metrics/speed_change.py`, by which models are taught to
speak. A denied word ("do not stop", "no vehicle ahead") announces and claims nothing.
"""


def _bounds() -> str:
    rows = [f'| `{name}` | {low:g} | {high:g} |' for name, (low, high) in BOUNDS.items()]
    head = ['', '## Bounds of comfort', '', '| signal | least | most |', '|---|---|---|']
    return '\n'.join([*head, *rows, ''])


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    for title, group in GROUPS.items():
        lines += [f'## {title}', '', '| name | unit | better | what it is | source |']
        lines.append('|---|---|---|---|---|')
        for d in group:
            lines.append(f'| `{d.name}` | {d.unit} | {d.better} | {d.sentence} | {d.source} |')
        lines.append('')
    return (
        '\n'.join(lines).rstrip('\n') + '\n' + _bounds() + _agreement() + FACTS + LIMITS + CHECKED
    )


if __name__ == '__main__':
    sys.stdout.write(page())
