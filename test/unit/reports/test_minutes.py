"""Plans beside what was driven, minute by minute."""

from __future__ import annotations

from pathlib import Path

import pytest
import recorded
import summaries

from alpamayo_ros.recording import events
from alpamayo_ros.recording.recording import EVENTS, Recording, Writer
from alpamayo_ros.reports.minutes import minutes
from alpamayo_ros.reports.report_replay import page

STEPS = 620  # of 0.1 s: two seconds of a second minute


@pytest.fixture(scope='module')
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder = tmp_path_factory.mktemp('out') / 'recording'
    recorded.write(folder, steps=1)
    lines = (folder / EVENTS).read_text().splitlines()
    kept = [line for line in lines if '"image"' not in line and '"ego"' not in line]
    writer = Writer(folder)
    for step in range(STEPS):
        t0_ns = recorded.START_NS + step * recorded.STEP_NS
        writer.write(events.Ego(0, t0_ns, 0.5 * step, 2.0, 0.0, 5.0, 0.0))
        far = 9.0 if step == 100 else 7.0 if step == 610 else 1.0
        known = None if step % 2 else far
        writer.write(events.Score(0, t0_ns, {'l2_at_3s': known, 'l2_at_1s': 0.1}))
    writer.close()
    with (folder / EVENTS).open('a') as file:
        file.write('\n'.join(kept) + '\n')
    return Recording(folder)


def test_each_minute_has_its_plans_mean_and_furthest(recording: Recording) -> None:
    name, rows = minutes(recording)
    assert name == 'l2_at_3s' and [row.start_s for row in rows] == [0.0, 60.0]
    first, second = rows
    assert first.plans == 300 and second.plans == 10  # those that were measured
    assert first.mean_m == pytest.approx((299 + 9) / 300) and first.largest_m == 9.0
    assert (first.furthest_s, first.x_m, first.y_m) == pytest.approx((10.0, 50.0, 2.0))
    assert second.largest_m == 7.0 and second.furthest_s == pytest.approx(61.0)


def test_the_page_shows_them_and_says_nothing_without(
    recording: Recording, tmp_path: Path
) -> None:
    shown = page(summaries.replay(), recording)
    assert 'Minute by minute' in shown and '<td>9.00 m</td><td>10.0 s</td>' in shown
    silent = Recording(recorded.write(tmp_path, steps=30))
    assert minutes(silent) == ('', []) and 'Minute by minute' not in page(
        summaries.replay(), silent
    )
