"""The learning curve of a run, and which families are driven more because they fail."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from alpamayo_ros.training.json_file import write_json
from alpamayo_ros.training.stream.settings import Settings

PASSED = 0.95  # scene_score of a drive that went right
LEAST, GROWTH = 0.35, 2.5  # weight of a family = LEAST + GROWTH * share of failures
Row = dict[str, Any]


class Steering:
    """Reads the drives' results and writes ``control.json`` for the simulator processes."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder, self._settings = folder, settings
        self._read: dict[Path, int] = {}
        self.drives: list[Row] = []
        self.unbuilt = 0

    def look(self) -> list[Row]:
        """Take in new results; returns the exams of the last ``exam_window_s``."""
        for path in sorted(self._folder.glob('drives_*.jsonl')):
            with path.open('rb') as file:
                file.seek(self._read.get(path, 0))
                data = file.read()
            whole = data[: data.rfind(b'\n') + 1]
            self._read[path] = self._read.get(path, 0) + len(whole)
            for row in map(json.loads, whole.splitlines()):
                self.unbuilt += 'unbuilt' in row
                if 'unbuilt' not in row:
                    self.drives.append(row)
        since = time.time() - self._settings.exam_window_s
        return [r for r in self.drives if r['exam'] and r['time'] > since]

    def steer(self, exams: list[Row], policy_drives: bool, wait: bool = False) -> None:
        """Tell the processes which families to drive, whether by the policy, and to ``wait``."""
        weights, by = dict(self._settings.families), _by_family(exams)
        for family, rows in by.items():
            failed = sum(r['scene_score'] < PASSED for r in rows)
            weights[family] = LEAST + GROWTH * (failed + 0.5) / (len(rows) + 1)
        by_policy = policy_drives and self._settings.stage != 'sft'
        share = self._settings.policy_share if by_policy else 0.0
        told = {'policy_share': share, 'families': weights, 'wait': wait}
        write_json(self._folder / 'control.json', told)


def _by_family(rows: list[Row]) -> dict[str, list[Row]]:
    by: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by[row['family']].append(row)
    return by


def figures(exams: list[Row]) -> dict[str, Any]:
    """A point of the learning curve: scores of the exams, in all and by family."""
    if not exams:
        return {'exams': 0}
    n = len(exams)
    return {
        'exams': n,
        'scene_score': round(sum(r['scene_score'] for r in exams) / n, 3),
        'fault_free': round(sum(not r['collisions_at_fault'] for r in exams) / n, 3),
        'on_road': round(sum(r['offroad_s'] == 0 for r in exams) / n, 3),
        'progress': round(sum(r['progress'] for r in exams) / n, 3),
        'red_lights': sum(r['red_lights'] for r in exams),
        'families': {
            family: [len(rows), round(sum(r['scene_score'] for r in rows) / len(rows), 3)]
            for family, rows in sorted(_by_family(exams).items())
        },
    }
