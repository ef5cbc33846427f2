"""Work of the encoder: six or seven new images to the tokens of one timestep, and the fusion."""

from __future__ import annotations

from alpamayo_ros.budget.work import Work, attention, conv, linear, rowwise
from alpamayo_ros.profile import ModelProfile

FUSION_EXPAND = 3  # the feed-forward of fusion blocks and of the query trunk
TRUNK_EXPAND = 4  # that of a published vision transformer


def encode(profile: ModelProfile) -> tuple[Work, ...]:
    """Images of the newest timestep to its features: stem, trunk, attention across cameras."""
    v, views = profile.vision, len(profile.views)
    height, width = profile.view_size
    patches = -(-height // v.patch) * -(-width // v.patch)
    own = 1 if v.trunk == 'vit' else max(view.tokens for view in profile.views)
    expand = TRUNK_EXPAND if v.trunk == 'vit' else FUSION_EXPAND
    layers = _block(views, own + patches, own + patches, v.width, expand) * v.layers
    if v.trunk != 'vit':  # of the last block what is pooled alone
        last = _block(views, own, own + patches, v.width, expand)
        layers = layers[: -len(last)] + last
    if v.window is not None and v.global_layers is not None:
        size = v.window[0] * v.window[1]  # without the class token, which rests
        inside = _block(views * patches // size, size, size, v.width, expand)
        layers = layers[: len(layers) // v.layers * v.global_layers]
        layers += inside * (v.layers - v.global_layers)
    across = _block(1, profile.visual_tokens, profile.visual_tokens, v.width, FUSION_EXPAND)
    return (*_stem(profile, patches), *layers, *across * v.fusion_layers)


def fuse(profile: ModelProfile) -> tuple[Work, ...]:
    """Features of all timesteps to what the backbone reads; of the new one where all are read."""
    v, n = profile.vision, profile.visual_tokens
    project = linear(n, v.width, profile.backbone.width)
    if v.timesteps == 'all':
        return (rowwise(n, v.width), project)
    block = _block(1, n, profile.frames.count * n, v.width, FUSION_EXPAND)
    return (*block * v.fusion_layers, project)


def _block(batch: int, rows: int, keys: int, width: int, expand: int) -> tuple[Work, ...]:
    """A pre-norm transformer block over ``batch`` sequences."""
    every = batch * rows
    return (
        rowwise(every, width),
        linear(every, width, width),
        linear(batch * keys, width, 2 * width),
        attention(rows, keys, width, width, batch),
        linear(every, width, width),
        rowwise(every, width),
        linear(every, width, expand * width),
        linear(every, expand * width, width),
    )


def _stem(profile: ModelProfile, patches: int) -> tuple[Work, ...]:
    v, views = profile.vision, len(profile.views)
    if v.stem == 'patch':
        return (linear(views * patches, 3 * v.patch**2, v.width),)
    height, width = profile.view_size
    channels = [3, *(32 * (k + 1) for k in range(v.patch.bit_length() - 1))]
    found = []
    for k, (inside, outside) in enumerate(zip(channels, channels[1:], strict=False), 1):
        positions = views * (height >> k) * (width >> k)
        found.append(conv(positions, inside, outside, taps=9, stride=4))
    return (*found, linear(views * patches, channels[-1], v.width))
