"""Layer sizes, noise schedule and language as data: what a profile says of its architecture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0, le=1 << 20)]
Few = Annotated[int, Field(gt=0, le=256)]  # layers, instants, candidates: what is looped over


def _plain(text: str) -> str:
    """``text`` where it can name a folder; ValueError otherwise."""
    if not re.fullmatch('[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}', text):
        raise ValueError(
            f'{text!r} is no plain name; expected up to 64 letters, digits, dots, underscores and '
            'hyphens, no dot in front'
        )
    return text


PlainName = Annotated[str, AfterValidator(_plain)]  # of what has a folder of that name


class Strict(BaseModel):
    """A record that refuses unknown keys and cannot be changed."""

    model_config = ConfigDict(extra='forbid', frozen=True, allow_inf_nan=False)


class VisionShape(Strict):
    """Layer sizes of the per-view encoder and the fusion.

    ``trunk``: learned queries read each view (``queries``), or a published vision transformer
    whose patches are averaged over the cells of ``pool``, rows and columns (``vit``), or the
    encoder of Qwen3-VL, of which ``fusion_layers`` inner blocks reach the backbone (``qwen3_vl``;
    ``ffn`` is the width inside its blocks).
    ``timesteps``: temporal attention leaves the newest timestep's tokens (``newest``), or the
    backbone reads the tokens of every timestep (``all``).
    ``spatial_bias``: one learned number a pair of tokens, or a pair of views.
    ``window``: rows and columns of patches that a block of a ``vit`` looks at; ``global_layers``
    blocks, the last of as many equal parts, look at the whole picture (Li et al. 2022, "Exploring
    Plain Vision Transformer Backbones for Object Detection").
    """

    stem: Literal['conv', 'patch']
    patch: Positive
    width: Positive
    layers: Few
    heads: Positive
    fusion_layers: Few
    trunk: Literal['queries', 'vit', 'qwen3_vl'] = 'queries'
    ffn: Positive | None = None
    pool: tuple[Positive, Positive] | None = None
    timesteps: Literal['newest', 'all'] = 'newest'
    spatial_bias: Literal['token', 'view'] = 'token'
    window: tuple[Positive, Positive] | None = None
    global_layers: Few | None = None

    def sees_all(self, layer: int) -> bool:
        """Whether a block of the trunk, counted from 0, looks at the whole picture."""
        if self.global_layers is None:
            return True
        part = self.layers // self.global_layers
        return layer % part == part - 1


class BackboneShape(Strict):
    """Layer sizes of the reasoning backbone.

    ``context``: positions it can tell apart, at least as many as the sequence has (the default).
    """

    layers: Few
    width: Positive
    heads: Positive
    kv_heads: Positive
    ffn: Positive
    rope_theta: float = Field(gt=0, le=1e9)
    qkv_bias: bool = False
    qk_norm: bool = False
    tie_embeddings: bool = True
    context: Positive | None = None


class DenoiserShape(Strict):
    """Layer sizes of the trajectory denoiser.

    ``dit``: ``layers`` blocks of ``width``.  With ``ffn`` they are SwiGLU blocks whose
    cross-attention has ``kv_heads``, without it GELU blocks four times as wide inside.
    ``unet``: ``layers`` residual blocks a level, ``levels`` channels; cross-attention and
    modulation are of ``width``.
    ``expert``: ``layers`` as the backbone has, each of which attends to the backbone's keys.
    ``sees_scene``: it looks at visual tokens too, not at words, ego and instruction alone.
    """

    layers: Few
    width: Positive
    heads: Positive
    points_per_token: Positive
    kind: Literal['dit', 'unet', 'expert'] = 'dit'
    kv_heads: Positive | None = None
    ffn: Positive | None = None
    levels: tuple[Positive, ...] = Field(default=(), max_length=16)
    sees_scene: bool = True

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.width // self.heads


class InputTokens(Strict):
    """Tokens that the backbone reads besides text, pictures and present speed; each may be absent.

    ``ego_history``: one a past instant of ``ego_history`` (speed, acceleration, steering).
    ``map_lines``: lane polylines of ``map_points`` points.  ``prior_coc``: at most so many tokens
    of the chain of causation of the cycle before.
    """

    ego_history: bool = False
    map_lines: int = Field(default=0, ge=0, le=4096)
    map_points: int = Field(default=16, ge=2, le=256)
    prior_coc: int = Field(default=0, ge=0, le=4096)


class Deadlines(Strict):
    """Least times [s] that a model asks for, whatever shorter ones the planner's parameters say.

    ``period_s``: between two plans.  ``startup_s``: to load and warm up.
    """

    period_s: float = Field(ge=0.01, le=30)
    startup_s: float = Field(ge=1, le=3600)


class Diffusion(Strict):
    """Noise schedule, what the denoiser predicts, and how a plan is made of it.

    ``solver``: ``ddim``, evenly in time, or ``dpmpp_2m``, DPM-Solver++ of second order, evenly in
    log-SNR: half the steps for plans nearer to the exact ones (docs/speed.md).
    ``flow``: straight lines from noise to action (Lipman et al. 2023), whose ``velocity`` is
    predicted; time is continuous, ``train_steps`` 0.
    """

    train_steps: int = Field(ge=0, le=1 << 20)
    sample_steps: Few
    prediction_type: Literal['epsilon', 'sample', 'v_prediction', 'velocity']
    schedule: Literal['squaredcos_cap_v2', 'linear', 'flow']
    solver: Literal['ddim', 'dpmpp_2m'] = 'ddim'


class Text(Strict):
    """Language budget: ``max_prefix`` tokens before the pictures, ``max_coc`` generated tokens.

    ``grammar``: the language of the chain of causation, a file of ``config/grammars``, or ``free``
    text of a released model.  ``names_pictures``: its prompt has a title for every camera and a
    number for every picture.
    """

    vocab_size: Positive
    max_prefix: Positive
    max_coc: Positive
    grammar: Literal['phrases_v1', 'phrases_v2', 'free'] = 'phrases_v1'
    names_pictures: bool = False


def wrong_vision(v: VisionShape, sizes: list[tuple[int, int]], tokens: set[int]) -> Iterator[str]:
    """What does not fit in the encoder of views of ``sizes`` (height, width) and ``tokens``."""
    if len(sizes) != 1:
        yield f'all views have one size; there are {sizes or "none"} (height, width)'
    if v.trunk == 'queries' and any(side % v.patch for size in sizes for side in size):
        yield f'vision.patch {v.patch} must divide height and width of the views {sizes[0]}'
    if v.stem == 'conv' and v.patch.bit_count() != 1:
        yield f'vision.patch {v.patch}: a conv stem halves, so it must be a power of two'
    if (v.trunk == 'qwen3_vl') != (v.ffn is not None):
        yield "vision.ffn: a trunk 'qwen3_vl' has it, the others have none"
    if (v.trunk == 'vit') != (v.pool is not None) or (v.trunk == 'vit' and v.stem != 'patch'):
        yield "vision.trunk 'vit' has a patch stem and a pool; 'queries' has no pool"
    elif v.pool is not None and tokens != {v.pool[0] * v.pool[1]}:
        yield f'a pool of {v.pool} makes {v.pool[0] * v.pool[1]} tokens a view, not {tokens}'
    elif v.pool is not None:
        grid = tuple(-(-side // v.patch) for side in sizes[0])
        if v.pool[0] > grid[0] or v.pool[1] > grid[1]:
            yield f'a pool of {v.pool} needs as many patches; a view has {grid}'
    if len(sizes) == 1:
        yield from _wrong_windows(v, sizes[0])


def _wrong_windows(v: VisionShape, size: tuple[int, int]) -> Iterator[str]:
    """What does not fit in the windows of views of ``size``; they are never padded."""
    if v.window is None and v.global_layers is None:
        return
    if v.trunk != 'vit':
        yield f"vision.window and global_layers: a trunk 'vit' has them, {v.trunk!r} has none"
    elif v.window is None or v.global_layers is None:
        yield 'vision.window and vision.global_layers go together: write both or neither'
    else:
        grid = (-(-size[0] // v.patch), -(-size[1] // v.patch))
        if grid[0] % v.window[0] or grid[1] % v.window[1]:
            yield (
                f'vision.window {v.window} must divide the patches of a view, {grid}: '
                f'rows {_divisors(grid[0])}; columns {_divisors(grid[1])}'
            )
        elif v.window == grid:
            yield f'vision.window {v.window} is the whole picture: leave out it and global_layers'
        if v.layers % v.global_layers:
            yield f'vision.global_layers {v.global_layers} must divide vision.layers {v.layers}'
        elif v.layers == v.global_layers:
            yield 'vision.global_layers is every layer: leave out it and window'


def _divisors(number: int) -> str:
    return ', '.join(str(n) for n in range(1, number + 1) if number % n == 0)


def wrong_backbone(shape: BackboneShape) -> Iterator[str]:
    """What does not fit in the backbone."""
    if shape.heads % shape.kv_heads:
        yield f'backbone.kv_heads {shape.kv_heads} must divide backbone.heads {shape.heads}'
    if shape.width // shape.heads % 2:
        yield 'backbone.width / heads must be even: RoPE rotates pairs'


def wrong_denoiser(shape: DenoiserShape, points: int) -> Iterator[str]:
    """What does not fit in the denoiser of a trajectory of ``points``."""
    if points % shape.points_per_token:
        yield 'trajectory.points must be a multiple of denoiser.points_per_token'
    if shape.heads % (shape.kv_heads or 1):
        yield f'denoiser.kv_heads {shape.kv_heads} must divide denoiser.heads {shape.heads}'
    if shape.kind == 'unet' and (shape.ffn or shape.points_per_token != 1):
        yield "denoiser.ffn and points_per_token: a 'unet' has neither, remove ffn and write 1"
    if shape.kind == 'dit' and shape.kv_heads and not shape.ffn:
        yield 'denoiser.kv_heads: only blocks with denoiser.ffn have them'
    if (shape.kind == 'unet') != bool(shape.levels):
        yield "denoiser.levels: a 'unet' has them, a 'dit' has none"
    elif shape.levels and points % 2 ** (len(shape.levels) - 1):
        yield f'trajectory.points {points} cannot be halved {len(shape.levels) - 1} times'
    if any(channels % 8 for channels in shape.levels):
        yield f'denoiser.levels {shape.levels} must be multiples of 8: norms have eight groups'
