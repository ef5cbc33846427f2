"""Ages and cycle times of a recorded drive made by hand (``recorded.py``)."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import write

from alpamayo_ros import metrics
from alpamayo_ros.recording.recording import Recording
from alpamayo_ros.reports.cycle_times import cycle_ms, input_ages_ms, timing


def test_ages_times_and_misses(tmp_path: Path):
    """90 cycles of 60 ms, one of them late with 150 ms; every reference 120 ms old."""
    recording = Recording(write(tmp_path))
    found = timing(recording)
    assert set(found) <= set(metrics.METRICS)
    assert found['plan_age_ms_p50'] == found['plan_age_ms_p99'] == pytest.approx(120.0)
    assert found['cycle_ms_p50'] == pytest.approx(60.0)
    assert found['cycle_ms_p99'] == pytest.approx(60.0 + 0.11 * 90.0)  # rank 0.99 * 89 = 88.11
    assert found['input_age_ms_p50'] == 0.0 and found['deadline_misses'] == 1.0
    assert len(cycle_ms(recording)) == len(input_ages_ms(recording)) == 90


def test_a_recording_without_cycles_has_no_times(tmp_path: Path):
    recording = Recording(write(tmp_path, steps=0))
    assert set(timing(recording).values()) == {None}
