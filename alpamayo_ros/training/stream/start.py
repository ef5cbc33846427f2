"""What every trainer starts with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.stream.settings import Settings
from alpamayo_ros.training.stream.together import Together


@dataclass(frozen=True, slots=True)
class Start:
    """A model and its grammar, the recipe, the processes that train together, the run's folder.

    ``from_scratch``: the weights are fresh, so noise and time are silent at first.
    """

    model: VLA
    grammar: Grammar
    settings: Settings
    together: Together
    root: Path
    from_scratch: bool = False
