"""Where every token of a cycle stands in the static cache, and what it sees: tables, made once.

Slots are those of the longest sequence of ``model.layout``, then room for drafted words that are
rejected.  What is shorter in a cycle (text) leaves slots unused, which a device tensor hides.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from alpamayo_ros.model.fast.attend import for_groups
from alpamayo_ros.model.fast.language import Look
from alpamayo_ros.model.layout import MASKED, Sequence
from alpamayo_ros.model.vla import VLA

STEP = 16  # slots are a multiple: a kernel would copy a mask of other widths to pad it


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one pass: slots, positions without shift, which of them shift, masks they have.

    ``looks`` without what is hidden in a cycle.
    """

    slots: Tensor
    positions: Tensor
    moving: Tensor
    looks: tuple[Look, ...]


class Places:
    """Tables of ``model`` on its device; passes of at most ``width`` words, ``words`` in all."""

    def __init__(self, model: VLA, words: int, width: int) -> None:
        self._model, layout = model, model.layout
        longest = {s.name: s.length for s in layout.segments if not s.scene}
        self.sequence = Sequence(layout, {s.name: s.length for s in layout.segments})
        self.coc = self.sequence.span('coc').start
        if words > longest['coc']:
            raise ValueError(f'{words} words; text.max_coc has room for {longest["coc"]}')
        end = max(len(self.sequence), self.coc + words + width)
        self.slots = -(-end // STEP) * STEP
        self.prefix = self.sequence.span('prefix')
        self.scene = self.sequence.scene
        self.prior = self.sequence.span('prior') if 'prior' in layout.names else None
        pictures = [s.name for s in layout.segments if s.visual]
        self.pages = tuple(self.sequence.span(name) for name in reversed(pictures))  # newest first
        self._position = torch.from_numpy(self.sequence.positions()).to(model.device)
        self.word_position = int(self.sequence.positions()[self.coc])
        self.last_position = self.word_position + words + width

    def text(self) -> Rows:
        """The prefix, in a pass of its own."""
        at = torch.arange(self.prefix.stop)
        return self._rows(at, ((at, (slice(0, self.prefix.stop),)),))

    def new(self) -> Rows:
        """Everything between prefix and words but kept timesteps, the newest timestep first.

        Where timesteps are alone, the newest one sees the prefix and itself only.
        """
        newest = self.pages[0]
        whole = torch.arange(self.scene.start, self.coc)
        old = torch.zeros(len(whole), dtype=torch.bool)
        for page in self.pages:
            old |= (whole >= page.start) & (whole < page.stop)
        picture, rest = torch.arange(newest.start, newest.stop), whole[~old]
        at = torch.cat([picture, rest])
        if len(self.pages) == 1:
            return self._rows(at, ((at, ()),))
        alone = (slice(0, self.prefix.stop), newest)
        return self._rows(at, ((picture, alone), (rest, ())))

    def _rows(self, at: Tensor, parts: tuple[tuple[Tensor, tuple[slice, ...]], ...]) -> Rows:
        device = self._model.device
        mask, found, begin = self._mask(), [], 0
        for rows, keys in parts:
            seen = mask[rows.to(device)]
            columns = [seen[:, piece] for piece in keys] or [seen]
            place = slice(begin, begin + len(rows))
            found.append(Look(place, keys, torch.cat(columns, 1)))
            begin += len(rows)
        moving = at >= self.pages[-1].start
        slots = at.to(device)
        return Rows(slots, self._position[slots], moving.long().to(device), tuple(found))

    def _mask(self) -> Tensor:
        """(max_sequence, slots): the layout's, with the learned bias; room is hidden."""
        device, n = self._model.device, len(self.sequence)
        mask = torch.full((n, self.slots), MASKED, device=device)
        mask[:, :n] = torch.from_numpy(self.sequence.mask()).to(device)
        mask[self.scene, self.scene] += self._model.scene_bias().detach()
        return mask


def hidden_too(looks: tuple[Look, ...], pad: Tensor, shared: int) -> tuple[Look, ...]:
    """The looks of a cycle: ``pad`` (slots) is added, for all heads that share keys."""
    found = []
    for look in looks:
        pieces = [pad[piece] for piece in look.keys] or [pad]
        mask = for_groups(look.mask + torch.cat(pieces), shared)
        found.append(Look(look.rows, look.keys, mask))
    return tuple(found)
