"""Which trainer a stage has: one command, four ways to learn."""

from __future__ import annotations

from pathlib import Path

from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.training.reinforcement.trainer import ReinforcementTrainer
from alpamayo_ros.training.stream.settings import Settings
from alpamayo_ros.training.stream.together import Together
from alpamayo_ros.training.stream.trainer import Trainer
from alpamayo_ros.training.wordings.trainer import WordingTrainer


def trainer_of(
    model: VLA,
    grammar: Grammar,
    settings: Settings,
    together: Together,
    root: Path,
    from_scratch: bool,
) -> Trainer:
    """The trainer of ``settings.stage``: ``sft`` and ``dagger`` differ in who drives alone."""
    kinds = {'rl': ReinforcementTrainer, 'wordings': WordingTrainer}
    kind = kinds.get(settings.stage, Trainer)
    return kind(model, grammar, settings, together, root, from_scratch)
