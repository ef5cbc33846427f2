"""A released model in this package's own networks behind encode, reason and denoise.

Greedy words, the last text as their draft; one cache for all candidates.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from alpamayo_ros.model.released.cycle import Cycle, Field, Reasoned, guided
from alpamayo_ros.model.released.graphs import Outputs
from alpamayo_ros.model.released.network import build
from alpamayo_ros.model.released.sizes import from_numbers
from alpamayo_ros.model.released.unicycle import points
from alpamayo_ros.model.released.vocabulary import FUTURE_START, PAST
from alpamayo_ros.model.released.weights import load as fill
from alpamayo_ros.model.released.weights import shards
from alpamayo_ros.runtime.nvidia.child.motion import past, step_bins
from alpamayo_ros.runtime.nvidia.child.own_tokens import tokenizer
from alpamayo_ros.runtime.nvidia.child.pictures import digest, in_order
from alpamayo_ros.runtime.nvidia.child.prompt import prompt_text
from alpamayo_ros.runtime.nvidia.child.settings import Settings
from alpamayo_ros.runtime.nvidia.child.timing import cycle_ms

COT_END = '<|cot_end|>'
PLACE = '<|traj_history|>'  # where a bin of past motion stands
INSTRUCTION = 64  # tokens that an instruction may have


class OwnEngine:
    """One loaded model; equal inputs give equal candidates, whatever was asked before."""

    def __init__(self, cycle: Cycle, beside: Cycle | None, words: Any, settings: Settings) -> None:
        """``beside``: networks of the same weights for the prompt without the instruction."""
        self.cycle, self.beside, self.words, self.settings = cycle, beside, words, settings
        self.version = f'own networks, torch {torch.__version__}'
        self._keys: set[bytes] = set()
        self._shown: Outputs = ()
        self._draft: tuple[int, ...] = ()
        self._held: tuple[Reasoned, Field, float] | None = None

    def encode(self, images: np.ndarray) -> int:
        """Hold the features of ``images``; how many pictures went through the tower."""
        pictures = in_order(images)
        keys = [digest(picture) for picture in pictures]
        self._shown = self.cycle.encode(torch.from_numpy(pictures), keys)
        new, self._keys = len(set(keys) - self._keys), set(keys)
        self._held = None
        return new

    def prompt(self, positions: np.ndarray, instruction: str) -> torch.Tensor:
        """Token ids (L) of the prompt, with the past motion in its places."""
        s = self.settings
        text = prompt_text(s.views, s.frames, s.tokens, s.history, instruction, s.named)
        ids = np.array(self.words.encode(text, add_special_tokens=False))
        ids[ids == self.words.convert_tokens_to_ids(PLACE)] = PAST + step_bins(positions)
        return torch.from_numpy(ids)

    def reason(
        self, poses: np.ndarray, speed_mps: float, instruction: str, seed: int
    ) -> dict[str, Any]:
        """The most likely words for the pictures held; nothing is drawn, ``seed`` counts not."""
        if not self._shown:
            raise ValueError('reason comes after encode')
        positions, _ = past(poses)
        asked = self.prompt(positions, instruction)
        told = self.cycle.reason(asked, self._shown, self._draft)
        field = self.cycle.field(told)
        if self.beside is not None and instruction:
            ids = self.prompt(positions, '')
            free = self.beside.repeat(ids, self._shown, told.words)
            field = guided(field, self.beside.field(free), self.settings.guidance)
        self._held, self._draft = (told, field, speed_mps), told.words.tokens
        said = list(told.words.tokens)
        spoken = [word for word in said if word != FUTURE_START]
        text, mark, _ = self.words.decode(spoken).partition(COT_END)
        return {
            'text': text.strip() if mark else '',
            'token_ids': said,
            'truncated': not told.words.complete,
        }

    def denoise(self, noise: np.ndarray) -> np.ndarray:
        """Candidates x, y [m], heading [rad] from the first two columns of ``noise``."""
        if self._held is None:
            raise ValueError('denoise comes after reason')
        told, field, speed_mps = self._held
        start = torch.from_numpy(np.ascontiguousarray(noise[..., :2]))
        plans = points(self.cycle.denoise(told, start, field), speed_mps)
        found: np.ndarray = plans.float().cpu().numpy()
        return found

    def reset(self) -> None:
        """Forget pictures, draft and condition."""
        self.cycle.forget()
        self._keys, self._shown, self._draft, self._held = set(), (), (), None

    def time(self, rounds: int) -> dict[str, float]:
        """Median [ms] of the calls above, each with the last text as its draft."""
        return {'cycle_ms': cycle_ms(self, rounds)}


def load(settings: Settings) -> OwnEngine:
    """The checkpoint on its device; ValueError where weights and sizes do not agree."""
    words = tokenizer(settings.vlm, settings.sizes['words'])
    sizes = replace(from_numbers(settings.sizes), budget=settings.max_words)
    network = build(sizes, settings.device, getattr(torch, settings.dtype))
    fill(network, shards(Path(settings.folder)))
    return made(network, words, settings)


def made(network: Any, words: Any, settings: Settings) -> OwnEngine:
    """The engine of a filled network, with room for the longest prompt."""
    text = prompt_text(
        settings.views, settings.frames, settings.tokens, settings.history, '', settings.named
    )
    room = len(words.encode(text, add_special_tokens=False)) + INSTRUCTION
    cycle = Cycle(network, settings.candidates, room)
    beside = Cycle(network, settings.candidates, room) if settings.guidance != 1.0 else None
    return OwnEngine(cycle, beside, words, settings)
