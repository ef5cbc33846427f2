"""Work of the backbone: prefill of what is new in a cycle, and a pass over some words."""

from __future__ import annotations

from alpamayo_ros.budget.work import Work, attention, linear, rowwise
from alpamayo_ros.model.layout import token_layout
from alpamayo_ros.profile import ModelProfile


def prefill(profile: ModelProfile) -> tuple[Work, ...]:
    """Tokens that change from cycle to cycle, over the keys that are kept.

    The text before the pictures stays in the cache; so do the tokens of past timesteps where the
    backbone reads every one of them.  The map is read anew.
    """
    layout, kept = token_layout(profile), profile.text.max_prefix
    words = profile.text.max_coc
    new = layout.max_sequence - kept - words
    if profile.vision.timesteps == 'all':
        new -= (profile.frames.count - 1) * profile.visual_tokens
    return rows(profile, new, layout.max_sequence - words)


def words(profile: ModelProfile, count: int) -> tuple[Work, ...]:
    """One pass over ``count`` tokens with the cache full, and the scores of the next word."""
    b = profile.backbone
    through = rows(profile, count, token_layout(profile).max_sequence)
    return (*through, linear(count, b.width, profile.text.vocab_size))


def rows(profile: ModelProfile, count: int, keys: int) -> tuple[Work, ...]:
    """``count`` tokens through all layers, each looking at ``keys``."""
    b = profile.backbone
    narrow = b.width // b.heads * b.kv_heads
    layer = (
        rowwise(count, b.width),
        linear(count, b.width, b.width + 2 * narrow),
        rowwise(count, b.width + narrow),
        attention(count, keys, b.width, narrow),
        linear(count, b.width, b.width),
        rowwise(count, b.width),
        linear(count, b.width, 2 * b.ffn),
        linear(count, b.ffn, b.width),
    )
    return layer * b.layers
