"""Times of the stages of a cycle at the real shapes, or tiny ones; the numbers may be random."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from alpamayo_ros.model.released.cycle import Cycle, Reasoned
from alpamayo_ros.model.released.graphs import Outputs
from alpamayo_ros.model.released.median_time import median_ms
from alpamayo_ros.model.released.network import Network
from alpamayo_ros.model.released.sizes import CELL, PATCH_PX, TowerSize
from alpamayo_ros.model.released.tower import patches
from alpamayo_ros.model.released.vocabulary import PICTURE, VISION_END, VISION_START
from alpamayo_ros.model.released.words import GUESSES

WORDS = 20  # of a text: a typical sentence with its two ends has 10 to 21
WORD = 1000  # any ordinary one


def stages(
    network: Network, candidates: int, prompt_tokens: int, pictures: int, new: int, rounds: int
) -> dict[str, float]:
    """Median times [ms] of every stage, and of whole cycles.

    ``pictures`` of the prompt, ``new`` of them unknown in each cycle.  A cycle has a text of
    20 words: without a draft, and with the same text as draft.
    """
    network.sizes = replace(network.sizes, budget=WORDS)
    cycle = Cycle(network, candidates, prompt_tokens)
    ids = prompt(network.sizes.tower, prompt_tokens, pictures)
    shown = _pictures(network.sizes.tower, pictures, cycle.device)
    rows, features = patches(shown[:new]), cycle.encode(shown, range(pictures))
    noise = torch.randn(candidates, network.sizes.points, 2, device=cycle.device)
    reasoned = cycle.reason(ids, features)
    found = _parts(cycle, reasoned, rows, rounds)
    stamp = pictures

    def whole(draft: tuple[int, ...]) -> Tensor:
        nonlocal stamp
        stamp += new
        kept = cycle.encode(shown, range(stamp - pictures, stamp))
        return cycle.denoise(cycle.reason(ids, kept, draft), noise)

    found['prompt_ms'] = median_ms(lambda: _first(cycle, ids, features), rounds, cycle.device)
    found['cycle_ms'] = median_ms(lambda: whole(()), rounds, cycle.device)
    draft = reasoned.words.tokens
    found['cycle_drafted_ms'] = median_ms(lambda: whole(draft), rounds, cycle.device)
    return found


def prompt(tower: TowerSize, tokens: int, pictures: int) -> Tensor:
    """A prompt of ``tokens`` with ``pictures``; its words say nothing."""
    block = [VISION_START, *[PICTURE] * tower.tokens, VISION_END]
    words = tokens - pictures * len(block)
    if words < 1:
        raise ValueError(f'{pictures} pictures have {pictures * len(block)} tokens, not {tokens}')
    return torch.tensor(block * pictures + [WORD] * words)


@torch.no_grad()
def _parts(cycle: Cycle, reasoned: Reasoned, rows: Tensor, rounds: int) -> dict[str, float]:
    """Tower, one word, a verified draft, one step of the expert."""
    device, end = cycle.device, reasoned.prompt
    one = torch.tensor([WORD], device=device)
    many = one.repeat(GUESSES + 1)
    slots = torch.arange(end, end + GUESSES + 1, device=device)
    actions = torch.randn(cycle.candidates * cycle.sizes.points, 2, device=device)
    now = torch.zeros(1, device=device)
    runs: dict[str, Callable[[], Outputs]] = {
        'tower_ms': lambda: cycle.tower(rows),
        'word_ms': lambda: cycle.step(one, slots[:1], slots[:1]),
        'draft_ms': lambda: cycle.step(many, slots, slots),
        'expert_step_ms': lambda: cycle.velocity(actions, now, slots[:1], slots[:1]),
    }
    return {name: median_ms(run, rounds, device) for name, run in runs.items()}


def _first(cycle: Cycle, ids: Tensor, features: Outputs) -> Reasoned:
    """The prompt alone: a text of one word."""
    sizes = cycle.sizes
    cycle.sizes = replace(sizes, budget=1)
    try:
        return cycle.reason(ids, features)
    finally:
        cycle.sizes = sizes


def _pictures(tower: TowerSize, count: int, device: torch.device) -> Tensor:
    side = CELL * PATCH_PX
    shape = (count, side * tower.rows, side * tower.columns, 3)
    return torch.randint(0, 256, shape, dtype=torch.uint8, device=device)
