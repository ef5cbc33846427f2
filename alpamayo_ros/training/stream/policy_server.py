"""Answers all simulator processes in batches, with the newest published weights.

``python -m alpamayo_ros.training.stream.policy_server FOLDER PUBLISHED``
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch

from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import load_profile
from alpamayo_ros.training.checkpoint import load_weights
from alpamayo_ros.training.json_file import read_json
from alpamayo_ros.training.policy import BatchPolicy
from alpamayo_ros.training.reinforcement.policy import SpeakingPolicy
from alpamayo_ros.training.reinforcement.word_table import WordTable
from alpamayo_ros.training.stream.fake_int8 import quantise_stages
from alpamayo_ros.training.stream.family import Family
from alpamayo_ros.training.stream.settings import Settings
from alpamayo_ros.training.stream.slots import POLL_S, Slots
from alpamayo_ros.training.vocabulary import run_vocabulary

LOOK_S = 1.0
DDIM_STEPS = 3


class Server:
    """The policy of a run; ``published``: the folder with ``policy.json``."""

    def __init__(self, folder: Path, published: Path) -> None:
        settings, self.published = Settings.of_run(folder), published
        profile = load_profile(settings.profile)
        self.device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
        self.slots = Slots(folder, settings.workers, profile)
        model = VLA(profile).to(self.device)
        if settings.quantise == 'int8':
            quantise_stages(model)
        self.policy = BatchPolicy(model, settings.workers, DDIM_STEPS)
        drawn = settings.stage == 'rl'
        if drawn or settings.own_words:
            grammar = run_vocabulary(profile, folder)
            table = WordTable(grammar, profile.text.vocab_size, self.device)
            self.policy = SpeakingPolicy(model, settings.workers, DDIM_STEPS, table, drawn)
        self._name, self._looked = '', -LOOK_S

    def refresh(self) -> bool:
        """Load what was published last; False before the first time."""
        if time.monotonic() - self._looked >= LOOK_S:
            self._looked = time.monotonic()
            newest = read_json(self.published / 'policy.json')
            if newest and newest['name'] != self._name:
                load_weights(self.published / newest['file'], self.policy.model)
                self.policy.regression, self._name = newest['regression'], newest['name']
        return bool(self._name)

    def answer(self, who: np.ndarray) -> None:
        """Plans for the slots ``who``."""
        s, numbers = self.slots, self.slots.asked[who].copy()
        times, speeds, first = s.state[who].T
        for slot in who[first > 0]:
            self.policy.past[slot].clear()
        plans = self.policy.act(
            who.tolist(), times.tolist(), s.images[who], speeds, np.array(s.prefix[who])
        )
        s.plan[who] = plans
        if isinstance(self.policy, SpeakingPolicy) and self.policy.said is not None:
            tokens, likelihood = (part.cpu().numpy() for part in self.policy.said)
            length = tokens.shape[1]
            s.said[who], s.likelihood[who] = 0, 0.0
            s.said[who, :length], s.likelihood[who, :length] = tokens, likelihood
            s.told[who] = int(self._name)
        s.answered[who] = numbers


def main() -> None:
    """Entry point."""
    folder, published = map(Path, sys.argv[1:3])
    torch.set_num_threads(1)
    server, family = Server(folder, published), Family(folder)
    while family.goes_on():
        who = server.slots.open()
        if not server.refresh() or not len(who):
            time.sleep(POLL_S)
            continue
        server.answer(who)


if __name__ == '__main__':
    main()
