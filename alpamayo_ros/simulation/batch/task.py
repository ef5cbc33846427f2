"""What every drive of a batch has in common."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """All that decides the rows of a batch beside scenario and seed.

    ``scenario``: name or path of a .yaml, '' in a suite.  ``model``: folder, '' for the shipped
    one.
    """

    scenario: str
    planner: str = 'onnx'
    profile: str = 'nano'
    model: str = ''
    objects: str = 'none'
    latency_steps: int = 0
    ablate: str = ''
    prompt: str = ''
    words_every_s: float = 0.0
    words_concurrent: bool = False

    def to_json(self) -> str:
        """One line, keys in order."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(line: str) -> Task:
        """What ``to_json`` wrote."""
        return Task(**json.loads(line))
