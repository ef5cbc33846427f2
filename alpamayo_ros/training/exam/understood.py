"""How far other wordings of a wish do what the known one does, on states that were held out.

The effect of a wording is the shift of the plan against that of nobody speaking, under the same
noise: of 0 it is ignored, of 1 it does as much as the known wording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from alpamayo_ros import metrics
from alpamayo_ros.metrics import Interval
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.simulation.driving_wish import NUMBER, SPLITS, Split, known_wording, wordings
from alpamayo_ros.training.exam.held_out import Group
from alpamayo_ros.training.reinforcement.answering import Answering
from alpamayo_ros.training.reinforcement.rollout import Batch
from alpamayo_ros.training.wordings.prefix import Prefix, with_wishes

GAP_S = '3'
AGAINST = 'conservative'  # what asks for nothing is measured against this wish


@dataclass(frozen=True, slots=True)
class Understood:
    """One wording; ``share`` of what the known wording does, or, of talk, of a wish.

    ``known_m``: how far the known wording moves the end of the plan, root mean square.
    """

    wish: str
    wording: str
    split: Split
    share: float
    known_m: float


def understood(
    model: VLA, groups: Sequence[Group], answering: Answering, tell: Callable[[float], None]
) -> list[Understood]:
    """All wordings of all wishes, asked in every state of the groups."""
    asked = [(w, name, split) for split in SPLITS for name, w in wordings(split)]
    silent = _plans(model, groups, answering, '')
    known = {name: _plans(model, groups, answering, known_wording(name)) - silent
             for name in {name for _, name, _ in asked} if known_wording(name)}  # fmt: skip
    found = []
    for done, (wording, name, split) in enumerate(asked, 1):
        effect = known.get(name)
        moved = _plans(model, groups, answering, wording) - silent
        whole = known[AGAINST] if effect is None else effect
        share = _size(moved) / _size(whole) if effect is None else _along(moved, effect)
        found.append(Understood(name, wording, split, share, _size(whole[:, -1])))
        tell(done / len(asked))
    return found


def _size(moved: np.ndarray) -> float:
    return float(np.sqrt((moved**2).sum(-1).mean()))


def _along(moved: np.ndarray, known: np.ndarray) -> float:
    """Of all states together: a state in which a wish changes nothing says nothing."""
    return float((moved * known).sum() / (known**2).sum())


def _plans(model: VLA, groups: Sequence[Group], answering: Answering, words: str) -> np.ndarray:
    """(S, P, 2) the plans of all states under a prompt, in metres."""
    tokens = answering.grammar.tokenizer.encode_text(words.replace(NUMBER, GAP_S))
    most = model.profile.text.max_prefix
    plans = []
    for number, group in enumerate(groups):
        b: Batch = dict(group.rows)
        before = Prefix(b['prefix'], b['prefix_valid'])
        wishes = [tokens] * len(before.ids)
        told = with_wishes(answering.grammar.tokenizer, most, before, wishes)
        b |= {'prefix': told.ids, 'prefix_valid': told.real}
        _, found = answering.answers(model, b, number)
        plans.append(found[:, 0, :, :2].float().cpu().numpy())
    return np.concatenate(plans)


def every(groups: Iterator[Group], states: int, drives: int) -> list[Group]:
    """So many states in all, of every drive alike: asking all of them takes long."""
    few, found = max(states // drives, 1), []
    for group in groups:
        size = len(group.rows['speed'])
        at = torch.linspace(0, size - 1, min(few, size)).long()
        found.append(Group(group.name, group.family, {k: v[at] for k, v in group.rows.items()}))
    return found


def by_wish(found: Sequence[Understood]) -> dict[str, dict[Split, Interval | None]]:
    """The share of each wish's wordings, their known one apart, with 95 % over wordings."""
    rows: dict[str, dict[Split, Interval | None]] = {}
    for one in found:
        rows.setdefault(one.wish, {})
    for name, row in rows.items():
        for split in SPLITS:
            mine = [f for f in found if (f.wish, f.split) == (name, split)]
            others = [f for f in mine if f.wording != known_wording(name)]
            row[split] = metrics.mean_ci95({f.wording: [f.share] for f in others})
    return rows
