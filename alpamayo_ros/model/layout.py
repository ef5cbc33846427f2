"""The backbone's token sequence as data: which segments follow each other, who sees whom.

``[prefix] [map] [visual] [ego] [age] [history] [prior] [coc]``, of which a profile has some.  A
text segment is causal: each token sees all before it and takes a RoPE position of its own.  Scene
segments stand together: their tokens see each other (with a learned bias) and all before them,
and share one position.  Where the backbone reads every timestep, oldest first, each of them (and
the map) is a scene segment that sees no other and takes the next position, so that its keys can
be kept while newer ones come.  Positions, mask, the size of the learned bias and the static length
follow from the segments; a new input is one more of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from jaxtyping import Bool, Float, Int

from alpamayo_ros.profile import ModelProfile

MASKED = -1e4  # additive; finite, so that a row without a visible key is no NaN


@dataclass(frozen=True, slots=True)
class Segment:
    """At most ``length`` tokens of a kind; ``scene``: they share a position, see each other.

    ``alone``: of the scene they see themselves only, and what follows takes the next position.
    ``visual``: made from pictures.
    """

    name: str
    length: int
    scene: bool = False
    alone: bool = False
    visual: bool = False


@dataclass(frozen=True, slots=True)
class TokenLayout:
    """Segments in the order in which the backbone reads them."""

    segments: tuple[Segment, ...]

    def __post_init__(self) -> None:
        runs = [scene for scene, _ in groupby(self.segments, lambda segment: segment.scene)]
        if sum(runs) != 1:
            raise ValueError(f'scene segments stand together, not {self.names}')
        if len(set(self.names)) < len(self.names):
            raise ValueError(f'segments have names of their own, not {self.names}')

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(segment.name for segment in self.segments)

    @property
    def max_sequence(self) -> int:
        """Static length: every segment at its longest."""
        return sum(segment.length for segment in self.segments)

    @property
    def scene_tokens(self) -> int:
        """Tokens of all scene segments: rows and columns of the learned bias."""
        return sum(segment.length for segment in self.segments if segment.scene)

    def visual(self) -> Bool[np.ndarray, ' m']:
        """Which scene tokens are made from pictures."""
        scene = [segment for segment in self.segments if segment.scene]
        return np.repeat([s.visual for s in scene], [s.length for s in scene])

    def sequence(self, **counts: int) -> Sequence:
        """A sequence with ``counts`` tokens in the named segments, the others at their longest."""
        lengths = {segment.name: segment.length for segment in self.segments}
        for name, count in counts.items():
            if not 0 <= count <= lengths[name]:
                raise ValueError(f'{name}: {count} tokens; at most {lengths[name]}')
        return Sequence(self, {**lengths, **counts})


@dataclass(frozen=True, slots=True)
class Sequence:
    """A layout with the true number of tokens in each segment."""

    layout: TokenLayout
    counts: Mapping[str, int]

    def __len__(self) -> int:
        return sum(self.counts.values())

    def span(self, *names: str) -> slice:
        """Places of neighbouring segments, from the first of ``names`` to the last."""
        order = self.layout.names
        begin = sum(self.counts[name] for name in order[: order.index(names[0])])
        inside = order[order.index(names[0]) : order.index(names[-1]) + 1]
        return slice(begin, begin + sum(self.counts[name] for name in inside))

    @property
    def scene(self) -> slice:
        """Places of all scene segments."""
        names = [segment.name for segment in self.layout.segments if segment.scene]
        return self.span(names[0], names[-1])

    def positions(self) -> Int[np.ndarray, ' n']:
        """RoPE position of every token; it does not depend on how full the text before is."""
        found, base, shared = [], 0, False
        for segment in self.layout.segments:
            base += int(shared and not segment.scene)
            count = self.counts[segment.name]
            found.append(np.full(count, base) if segment.scene else base + np.arange(count))
            base += int(segment.alone) if segment.scene else segment.length
            shared = segment.scene and not segment.alone
        return np.concatenate(found).astype(np.int64)

    def mask(self) -> Float[np.ndarray, 'n n']:
        """Additive: 0 where the row's token sees the column's, ``MASKED`` elsewhere."""
        place = np.arange(len(self))
        mask = np.where(place[None] > place[:, None], np.float32(MASKED), np.float32(0.0))
        mask[self.scene, self.scene] = 0.0
        for segment in self.layout.segments:
            if segment.alone:
                rows, seen = self.span(segment.name), mask[self.span(segment.name)]
                seen[:, self.scene] = MASKED
                seen[:, rows] = 0.0
        return np.asarray(mask, np.float32)


def token_layout(profile: ModelProfile) -> TokenLayout:
    """What the backbone of a profile reads; segments that it has no tokens for are left out.

    ValueError where ``backbone.context`` has no room for them, or the model is a vendor's.
    """
    if profile.released:
        raise ValueError(
            f"the networks of {profile.name} are the vendor's (architecture "
            f"{profile.architecture!r}); this package builds those of architecture 'own'"
        )
    inputs, n = profile.inputs, profile.visual_tokens
    every = profile.vision.timesteps == 'all'
    segments = (
        Segment('prefix', profile.text.max_prefix),
        Segment('map', inputs.map_lines, scene=True, alone=every),
        *_pictures(profile.frames.count, n, every),
        Segment('ego', 1, scene=True),
        Segment('age', int(every), scene=True),
        Segment('history', profile.ego_history.count * inputs.ego_history, scene=True),
        Segment('prior', inputs.prior_coc),
        Segment('coc', profile.text.max_coc),
    )
    layout = TokenLayout(tuple(segment for segment in segments if segment.length))
    room = profile.backbone.context or layout.max_sequence
    if layout.max_sequence > room:
        raise ValueError(
            f'backbone.context {room} is less than the sequence of {layout.max_sequence} tokens'
        )
    return layout


def _pictures(timesteps: int, tokens: int, every: bool) -> tuple[Segment, ...]:
    """The newest timestep, mixed with the past; or every one, oldest first, each alone."""
    if not every:
        return (Segment('visual', tokens, scene=True, visual=True),)
    names = (f'visual_{age}' for age in reversed(range(timesteps)))
    return tuple(Segment(name, tokens, scene=True, alone=True, visual=True) for name in names)


def bias_groups(profile: ModelProfile, layout: TokenLayout) -> list[int]:
    """Group of every scene token: its view, or what other segment it belongs to."""
    views = [i for i, view in enumerate(profile.views) for _ in range(view.tokens)]
    found: list[int] = []
    for index, segment in enumerate(layout.segments):
        if segment.scene:
            group = len(profile.views) + index
            found += views if segment.visual else [group] * segment.length
    return found
