"""Which trainer a stage has: one command, four ways to learn."""

from __future__ import annotations

from alpamayo_ros.training.reinforcement.trainer import ReinforcementTrainer
from alpamayo_ros.training.stream.start import Start
from alpamayo_ros.training.stream.trainer import Trainer
from alpamayo_ros.training.wordings.trainer import WordingTrainer


def trainer_of(start: Start) -> Trainer:
    """The trainer of the recipe's stage: ``sft`` and ``dagger`` differ in who drives alone."""
    kinds = {'rl': ReinforcementTrainer, 'wordings': WordingTrainer}
    return kinds.get(start.settings.stage, Trainer)(start)
