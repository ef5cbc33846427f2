"""Every stage's run is made from a model's folder and found again: trainer, heads, counters."""

import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from alpamayo_ros.profile import share_dir
from alpamayo_ros.training.reinforcement.trainer import ReinforcementTrainer
from alpamayo_ros.training.stream.run import StreamRun
from alpamayo_ros.training.stream.settings import HEADS, Settings
from alpamayo_ros.training.stream.trainer import Trainer

BEGIN = share_dir() / 'models' / 'nano' / 'weights.safetensors'


def made(root: Path, recipe: str, begin: Path | None) -> StreamRun:
    settings = Settings.from_file(share_dir() / 'config' / 'training' / f'{recipe}.yaml')

    def unheard(step: int, line: dict[str, Any]) -> None:
        del step, line

    return StreamRun(root, settings, begin, time.monotonic(), unheard)


@pytest.mark.parametrize(
    ('recipe', 'kind'), [('stream_toy', Trainer), ('rl_toy', ReinforcementTrainer)]
)
def test_a_run_of_a_stage_begins_and_is_found_again(
    recipe: str, kind: type[Trainer], tmp_path: Path
) -> None:
    before = torch.get_num_threads()
    try:
        run = made(tmp_path / 'run', recipe, BEGIN)
        assert type(run.trainer) is kind and run.trainer.step == 0
        assert not run.trainer.from_scratch and not run.trainer.regression
        name = 'backbone.embed.weight'
        theirs = load_file(BEGIN)[name].float()
        assert torch.equal(run.trainer.model.state_dict()[name], theirs)
        run.trainer.step = 7
        run._publish()
        run._save()
        again = made(tmp_path / 'run', recipe, None)
        assert again.trainer.step == again._first == 7
        further = made(tmp_path / 'further', recipe, tmp_path / 'run' / 'model.safetensors')
        assert further.trainer.step == 0
        kept, name = tmp_path / 'run' / HEADS, 'fused.0.weight'
        assert kept.is_file() == (kind is Trainer)  # reinforcement learns none
        if kept.is_file():
            ours = further.trainer.heads.state_dict()[name]
            assert torch.equal(ours, load_file(kept)[name])
    finally:
        torch.set_num_threads(before)
