"""Which trainer a stage has: one command, three ways to learn."""

from __future__ import annotations

from pathlib import Path

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.reinforcement.trainer import ReinforcementTrainer
from alpamayo_ros.training.stream.settings import Settings
from alpamayo_ros.training.stream.together import Together
from alpamayo_ros.training.stream.trainer import Trainer


def trainer_of(
    model: VLA,
    grammar: Grammar,
    settings: Settings,
    together: Together,
    root: Path,
    from_scratch: bool,
) -> Trainer:
    """The trainer of ``settings.stage``: ``sft`` and ``dagger`` differ in who drives alone."""
    kind = ReinforcementTrainer if settings.stage == 'rl' else Trainer
    return kind(model, grammar, settings, together, root, from_scratch)
