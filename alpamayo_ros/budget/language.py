"""Work of the backbone: prefill of what is new in a cycle, and a pass over some words."""

from __future__ import annotations

from alpamayo_ros.budget.work import Work, attention, linear, rowwise
from alpamayo_ros.model.layout import token_layout
from alpamayo_ros.profile import ModelProfile


def prefill(profile: ModelProfile) -> tuple[Work, ...]:
    """Tokens that change from cycle to cycle, over the keys that are kept.

    The text before the pictures stays in the cache; so do the tokens of past timesteps where the
    backbone reads every one of them, and then the newest one's see the text and themselves only.
    The map is read anew.
    """
    layout, kept = token_layout(profile), profile.text.max_prefix
    before, n = layout.max_sequence - profile.text.max_coc, profile.visual_tokens
    if profile.vision.timesteps == 'all':
        others = before - kept - profile.frames.count * n
        return rows(profile, (n, kept + n), (others, before))
    return rows(profile, (before - kept, before))


def words(profile: ModelProfile, count: int) -> tuple[Work, ...]:
    """One pass over ``count`` tokens with the cache full, and the scores of the next word."""
    b = profile.backbone
    through = rows(profile, (count, token_layout(profile).max_sequence))
    return (*through, linear(count, b.width, profile.text.vocab_size))


def rows(profile: ModelProfile, *parts: tuple[int, int]) -> tuple[Work, ...]:
    """Tokens through all layers; ``parts``: how many of them look at how many keys."""
    b = profile.backbone
    narrow = b.width // b.heads * b.kv_heads
    count = sum(part for part, _ in parts)
    layer = (
        rowwise(count, b.width),
        linear(count, b.width, b.width + 2 * narrow),
        rowwise(count, b.width + narrow),
        *(attention(part, keys, b.width, narrow) for part, keys in parts),
        linear(count, b.width, b.width),
        rowwise(count, b.width),
        linear(count, b.width, 2 * b.ffn),
        linear(count, b.ffn, b.width),
    )
    return layer * b.layers
