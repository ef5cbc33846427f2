"""Everything that a cycle reads from outside, at fixed addresses."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from alpamayo_ros.model.fast.pages import Choice
from alpamayo_ros.profile import ModelProfile

ABSENT_NS = -1  # the stamp of a timestep that is not there


@dataclass(frozen=True, slots=True)
class Given:
    """Inputs of one cycle, on the host or on the device.

    ``images`` (V, H, W, 3) uint8 of the newest timestep, ``cameras`` (V) 0 where one is lost;
    ``page`` (1) that the timestep is kept in, ``chosen`` (T) pages that the cycle sees, newest
    first, ``stamps_ns`` (T) of these, ``ABSENT_NS`` where a timestep is not there, ``shift`` (1)
    of positions: :meth:`look` writes these four; ``age_s`` (T, V); ``speed_mps`` (1);
    ``history`` (H, 3) in the units of ``SceneInputs``, ``lines`` (L, P, 2) in metres, each with
    ``..._valid``; ``prefix`` and ``prior`` token ids, ``..._valid`` 0 on padding; ``last`` (1):
    how many words of ``prior`` are real; ``draft`` guesses of the words, from the first on, of
    which ``said`` (1) are given words; ``guess`` (S) a column for every state of ``rules.Rules``;
    ``noise`` (K, P, 3).
    """

    images: Tensor
    cameras: Tensor
    page: Tensor
    chosen: Tensor
    stamps_ns: Tensor
    shift: Tensor
    age_s: Tensor
    speed_mps: Tensor
    history: Tensor
    history_valid: Tensor
    lines: Tensor
    lines_valid: Tensor
    prefix: Tensor
    prefix_valid: Tensor
    prior: Tensor
    prior_valid: Tensor
    last: Tensor
    draft: Tensor
    said: Tensor
    guess: Tensor
    noise: Tensor

    @classmethod
    def empty(
        cls, p: ModelProfile, device: str | torch.device, pinned: bool = False, states: int = 0
    ) -> Given:
        """Zeros; ``pinned``: memory of the host that a device reads by itself.

        ``states`` of a grammar.
        """
        views, times, lines = len(p.views), p.frames.count, p.inputs.map_lines
        past = p.ego_history.count * p.inputs.ego_history

        def numbers(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
            return torch.zeros(shape, dtype=dtype, device=device, pin_memory=pinned)

        def ids(count: int) -> Tensor:
            return numbers(count, dtype=torch.long)

        return cls(
            numbers(views, *p.view_size, 3, dtype=torch.uint8), numbers(views),
            ids(1), ids(times), ids(times).fill_(ABSENT_NS), ids(1),
            numbers(times, views), numbers(1),
            numbers(past, 3), numbers(past),
            numbers(lines, p.inputs.map_points, 2), numbers(lines),
            ids(p.text.max_prefix), numbers(p.text.max_prefix),
            ids(p.inputs.prior_coc), numbers(p.inputs.prior_coc), ids(1),
            ids(p.text.max_coc), ids(1), ids(states),
            numbers(p.candidates, p.trajectory.points, 3),
        )  # fmt: skip

    def look(self, choice: Choice) -> None:
        """What the cycle keeps and sees, as :mod:`pages` chose."""
        stamps = [ABSENT_NS if stamp is None else stamp for stamp in choice.stamps_ns]
        self.page.fill_(choice.page)
        self.chosen.copy_(torch.tensor(choice.chosen))
        self.stamps_ns.copy_(torch.tensor(stamps))
        self.shift.fill_(choice.number)

    def copy_(self, other: Given, *names: str) -> None:
        """The numbers of ``other``, all or the named ones; from pinned memory nobody waits."""
        for name in names or [field.name for field in fields(self)]:
            getattr(self, name).copy_(getattr(other, name), non_blocking=True)
