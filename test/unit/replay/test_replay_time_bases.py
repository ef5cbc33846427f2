"""Another time base, or another frame, of a recording leads the reasons of its replay."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import replay_bag
from replay_bag import Drive
from typer.testing import CliRunner

from alpamayo_ros.bags.sensor_writer import SensorBag
from alpamayo_ros.cli import main

Change = Callable[[str, Any], None]


def headers(message: Any) -> list[Any]:
    """The headers of a message: its own, or those of its transforms."""
    return (
        [message.header]
        if hasattr(message, 'header')
        else [t.header for t in getattr(message, 'transforms', ())]
    )


def stamped(later_s: int) -> Change:
    """All stamps later than the recorder's times."""

    def change(topic: str, message: Any) -> None:
        for header in headers(message):
            header.stamp.sec += later_s

    return change


def odometry(**changes: Any) -> Change:
    """Another name of a frame, or another rotation, in the odometry alone."""

    def change(topic: str, message: Any) -> None:
        if topic.endswith('odometry'):
            for name, value in changes.items():
                if name == 'frame_id':
                    message.header.frame_id = value
                elif name == 'child_frame_id':
                    message.child_frame_id = value
                else:
                    for axis in 'xyzw':
                        setattr(message.pose.pose.orientation, axis, value)

    return change


def causes(change: Change, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The causes in the summary of a replay of such a recording."""
    write = SensorBag.write

    def altered(self: SensorBag, topic: str, message: Any, time_ns: int) -> None:
        change(topic, message)
        write(self, topic, message, time_ns)

    monkeypatch.setattr(SensorBag, 'write', altered)
    bag = replay_bag.write(folder / 'a.mcap', Drive(seconds=2.0))
    words = ['replay', str(bag), '--runtime', 'scripted', '--out', str(folder / 'out')]
    CliRunner().invoke(main.app, words)
    found: list[dict[str, Any]] = json.loads((folder / 'out' / 'summary.json').read_text())[
        'causes'
    ]
    return found


@pytest.mark.parametrize(
    ('change', 'code', 'came'),
    [
        (odometry(frame_id='/odom', child_frame_id='/base_link'), 'ODOM_FRAME', "'/odom'"),
        (odometry(child_frame_id='imu_link'), 'ODOM_FRAME', "'imu_link'"),
        (odometry(rotation=0.0), 'ODOM_FRAME', 'quaternion of length 0.0000'),
        (stamped(37), 'STAMP_INVALID', '37000.0 ms ahead of now'),
        (stamped(-1_600_000_000), 'CAM_STALE', 'old'),
    ],
    ids=['leading slash', 'odometry of the imu', 'no rotation', 'TAI', 'simulated time'],
)
def test_the_cause_leads_with_its_values(
    change: Change, code: str, came: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = causes(change, tmp_path, monkeypatch)[0]
    assert first['code'] == code
    assert came in first['text']
