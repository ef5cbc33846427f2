"""Work of the denoiser: keys of its context once a cycle, then every step of all candidates."""

from __future__ import annotations

from itertools import pairwise

from alpamayo_ros.budget.work import Work, attention, conv, linear, rowwise
from alpamayo_ros.layer_shapes import DenoiserShape
from alpamayo_ros.model.layout import token_layout
from alpamayo_ros.profile import ModelProfile

EXPAND = 4  # of the feed-forward of a block without ``ffn``
TAPS = 3  # of every convolution over the plan


def context_tokens(profile: ModelProfile) -> int:
    """Tokens that the denoiser looks at, at most."""
    layout = token_layout(profile)
    hidden = 0 if profile.denoiser.sees_scene else int(layout.visual().sum())
    return layout.max_sequence - hidden


def denoise(profile: ModelProfile) -> tuple[Work, ...]:
    """The whole of a cycle; modulations of all steps of a ``dit`` are one product."""
    d, seen = profile.denoiser, context_tokens(profile)
    whole = d.kind == 'dit' and d.ffn is None
    keys = d.width if whole else d.head_width * (d.kv_heads or d.heads)
    places = d.layers if d.kind == 'dit' else 2 * len(d.levels) + 1
    once = (linear(seen, profile.backbone.width, 2 * keys),) * places
    steps = profile.diffusion.sample_steps
    if d.kind == 'dit':
        once += (linear(steps, d.width, (9 if whole else 6) * d.width),) * d.layers
    step = (_dit if d.kind == 'dit' else _unet)(profile, seen, keys)
    return once + step * steps


def _dit(profile: ModelProfile, seen: int, keys: int) -> tuple[Work, ...]:
    d, k, points = profile.denoiser, profile.candidates, profile.trajectory.points
    tokens = points // d.points_per_token
    n, w, chunk = k * tokens, d.width, 3 * d.points_per_token
    cross = (linear(n, w, w), attention(n, seen, w, keys), linear(n, w, w))
    own = (
        linear(n, w, w),
        linear(n, w, 2 * w),
        attention(tokens, tokens, w, w, k),
        linear(n, w, w),
    )
    if d.ffn is None:
        inside = (linear(n, w, EXPAND * w), linear(n, EXPAND * w, w))
    else:
        inside = (linear(n, w, 2 * d.ffn), linear(n, d.ffn, w))
    block = (*(rowwise(n, w),) * 3, *own, *cross, *inside)
    return (linear(n, chunk, w), *block * d.layers, linear(n, w, chunk))


def _unet(profile: ModelProfile, seen: int, keys: int) -> tuple[Work, ...]:
    d, k = profile.denoiser, profile.candidates
    lengths = [profile.trajectory.points >> i for i in range(len(d.levels))]
    down = [(d.levels[0], d.levels[0]), *pairwise(d.levels)]
    up = [(o + o, i) for i, o in reversed(down)]
    middle = (d.levels[-1], d.levels[-1])
    sizes = zip([*down, middle, *up], [*lengths, lengths[-1], *lengths[::-1]], strict=True)
    found: list[Work] = []
    for (inside, outside), n in sizes:
        found += _level(d, k, n, (inside, outside), seen, keys)
    resized = [conv(k * n, c, c, TAPS) for c, n in zip(d.levels, lengths[1:], strict=False)]
    grown = [conv(k * n, c, c, TAPS) for c, n in zip(d.levels[:-1], lengths, strict=False)]
    ends = [conv(k * lengths[0], 3, d.levels[0], TAPS), conv(k * lengths[0], d.levels[0], 3, TAPS)]
    return tuple([*found, *resized, *grown, *ends])


def _level(
    d: DenoiserShape, k: int, n: int, sizes: tuple[int, int], seen: int, keys: int
) -> list[Work]:
    """Residual blocks of ``n`` points, then cross-attention."""
    inside, outside = sizes
    channels, found = [inside, *[outside] * d.layers], []
    for i, o in pairwise(channels):
        found += [rowwise(k * n, i), conv(k * n, i, o, TAPS), linear(k, d.width, 2 * o)]
        found += [rowwise(k * n, o), conv(k * n, o, o, TAPS)]
        found += [] if i == o else [conv(k * n, i, o, 1)]
    query = linear(k * n, outside, d.width)
    across = attention(k * n, seen, d.width, keys)
    return [*found, rowwise(k * n, outside), query, across, linear(k * n, d.width, outside)]
