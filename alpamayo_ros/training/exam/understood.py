"""How far other wordings of a wish do what the known one does, on states that were held out.

The effect of a wording is the shift of the plan against that of nobody speaking, under the same
noise: of 0 it is ignored, of 1 it does as much as the known wording.  States count alike, however
far the known wording moves the plan: where it turns a stop into a go, that is one state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np
import torch
from torch.nn import functional as F

from alpamayo_ros import metrics
from alpamayo_ros.metrics import Interval
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.simulation.driving_wish import NUMBER, SPLITS, Split, known_wording, wordings
from alpamayo_ros.training.exam.held_out import Group
from alpamayo_ros.training.reinforcement.answering import Answering
from alpamayo_ros.training.reinforcement.rollout import seen_of
from alpamayo_ros.training.reinforcement.speech import Seen
from alpamayo_ros.training.wordings.prefix import Prefix, with_wishes

GAP_S = '3'
AGAINST = 'conservative'  # what asks for nothing is measured against this wish
MOVES_M = 0.3  # a plan that shifts less is not moved
BOUNDS = (-1.0, 2.0)  # of what one state says
MOST_TRAINED = 12  # wordings of training that are asked of a wish: those held out are the question


@dataclass(frozen=True, slots=True)
class Understood:
    """One wording; ``share`` of what the known wording does, or, of talk, of a wish.

    ``states``: in how many the known wording moves the plan, which the share is the mean of.
    """

    wish: str
    wording: str
    split: Split
    share: float
    states: int


def understood(
    model: VLA, groups: Sequence[Group], answering: Answering, tell: Callable[[float], None]
) -> list[Understood]:
    """All held-out wordings of all wishes and some of training, asked in every state of groups."""
    states = _all_states(model, groups)
    asked = [(w, name, split) for split in SPLITS for name, w in _asked(split)]
    silent = _plans(model, states, answering, '')
    known = {name: _plans(model, states, answering, known_wording(name)) - silent
             for name in {name for _, name, _ in asked} if known_wording(name)}  # fmt: skip
    found = []
    for done, (wording, name, split) in enumerate(asked, 1):
        effect = known.get(name)
        moved = _plans(model, states, answering, wording) - silent
        whole = known[AGAINST] if effect is None else effect
        moves = _size(whole) > MOVES_M
        part = _size(moved) / _size(whole) if effect is None else _along(moved, effect)
        share = float(np.clip(part[moves], *BOUNDS).mean()) if moves.any() else 0.0
        found.append(Understood(name, wording, split, share, int(moves.sum())))
        tell(done / len(asked))
    return found


def _asked(split: Split) -> Iterator[tuple[str, str]]:
    """Wishes with the wordings that are asked: of training at most so many, evenly over the file.

    The first wording of a wish, the known one, is among them.
    """
    for _, found in groupby(wordings(split), itemgetter(0)):
        all_of_it = list(found)
        yield from all_of_it[:: -(-len(all_of_it) // MOST_TRAINED) if split == 'train' else 1]


def _size(moved: np.ndarray) -> np.ndarray:
    """(S,) root mean square shift of a plan, in metres."""
    size: np.ndarray = np.sqrt((moved**2).sum(-1).mean(1))
    return size


def _along(moved: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(S,) how much of the known shift is in another."""
    part: np.ndarray = (moved * known).sum((1, 2)) / np.maximum((known**2).sum((1, 2)), 1e-9)
    return part


def _plans(model: VLA, states: Seen, answering: Answering, words: str) -> np.ndarray:
    """(S, P, 2) the plans of all states under a prompt, in metres."""
    tokenizer, most = answering.grammar.tokenizer, model.profile.text.max_prefix
    wishes = [tokenizer.encode_text(words.replace(NUMBER, GAP_S))] * len(states.ids)
    told = with_wishes(tokenizer, most, Prefix(states.ids, states.real), wishes)
    asked = states._replace(ids=told.ids, real=told.real)
    _, found = answering.answers_to(model, asked, 0)
    return found[:, 0, :, :2].float().cpu().numpy()


def _all_states(model: VLA, groups: Sequence[Group]) -> Seen:
    """What the model sees in the states of all groups; prefixes padded to the longest."""
    seen = [seen_of(model, group.rows) for group in groups]
    longest = max(one.ids.shape[1] for one in seen)
    padded = [
        one._replace(**{k: F.pad(v, (0, longest - v.shape[1])) for k, v in
                        (('ids', one.ids), ('real', one.real))})
        for one in seen
    ]  # fmt: skip
    return Seen(*(torch.cat(parts) for parts in zip(*padded, strict=True)))


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
