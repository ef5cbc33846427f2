"""Sizes of the networks of a released Alpamayo 1.5, from its profile or tiny.

Numbers that no profile varies stand here, each with the public file that fixes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a vendor's environment reads the numbers and has no pydantic
    from alpamayo_ros.profile import ModelProfile

PATCH_PX = 16
PATCH_NUMBERS = 3 * 2 * PATCH_PX**2  # colours, the picture twice in time, rows, columns
CELL = 2  # a visual token is so many patches high and wide (Qwen3-VL config, spatial_merge_size)
PLACES = 48  # learned positions are a square of so many rows (num_position_embeddings 2304)
HEAD_WIDTH = 128  # Qwen3-VL-8B config.json, head_dim
SECTIONS = (24, 20, 20)  # rotary frequencies of time, height, width: mrope_section
INNER = (8, 16, 24)  # blocks whose output reaches the language model: deepstack_visual_indexes
HIDDEN = 512  # of the layers that read an action (Alpamayo R1 config.json)


@dataclass(frozen=True, slots=True)
class TowerSize:
    """Vision encoder of pictures of ``rows`` x ``columns`` visual tokens.

    ``inner``: blocks whose output is added in the first layers of the language model.
    """

    layers: int
    width: int
    heads: int
    ffn: int
    inner: tuple[int, ...]
    out: int
    rows: int
    columns: int

    @property
    def tokens(self) -> int:
        """Visual tokens a picture."""
        return self.rows * self.columns


@dataclass(frozen=True, slots=True)
class StackSize:
    """Layers of Qwen3."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    ffn: int
    head_width: int = HEAD_WIDTH


@dataclass(frozen=True, slots=True)
class Sizes:
    """The whole model.

    ``sections``: rotary frequencies of time, height and width, together half a head.  ``hidden``:
    width of the layers that read an action.  ``points`` at 0.1 s are reached in ``steps`` of
    Euler.
    """

    tower: TowerSize
    language: StackSize
    expert: StackSize
    words: int
    theta: float
    sections: tuple[int, int, int] = SECTIONS
    hidden: int = HIDDEN
    points: int = 64
    steps: int = 10
    budget: int = 128


def sizes(profile: ModelProfile) -> Sizes:
    """Sizes of the released model that ``profile`` describes; ValueError for another profile."""
    if not profile.released:
        raise ValueError(f'{profile.name} is no released model; nvidia-1.5-10b is one')
    vision, language, expert = profile.vision, profile.backbone, profile.denoiser
    assert vision.ffn and expert.ffn and expert.kv_heads  # layer_shapes checks them
    height, width = profile.view_size
    side = PATCH_PX * CELL
    tower = TowerSize(
        vision.layers, vision.width, vision.heads, vision.ffn, INNER, language.width,
        height // side, width // side,
    )  # fmt: skip
    return Sizes(
        tower,
        StackSize(
            language.layers, language.width, language.heads, language.kv_heads, language.ffn
        ),
        StackSize(expert.layers, expert.width, expert.heads, expert.kv_heads, expert.ffn),
        profile.text.vocab_size,
        language.rope_theta,
        points=profile.trajectory.points,
        steps=profile.diffusion.sample_steps,
        budget=profile.text.max_coc,
    )


def from_numbers(numbers: Mapping[str, Any]) -> Sizes:
    """What ``dataclasses.asdict`` made of sizes, also after JSON."""
    tower, stacks = dict(numbers['tower']), ('language', 'expert')
    tower['inner'] = tuple(tower['inner'])
    parts = {name: StackSize(**numbers[name]) for name in stacks}
    rest = {'tower': TowerSize(**tower), 'sections': tuple(numbers['sections']), **parts}
    return Sizes(**{**numbers, **rest})


TINY = Sizes(  # the same wiring on a CPU in a second; the vocabulary is the real one
    TowerSize(6, 64, 4, 96, (1, 3, 5), 64, 3, 4),
    StackSize(4, 64, 4, 2, 128, 32),
    StackSize(4, 48, 2, 2, 96, 32),
    155_697,
    5e6,
    (6, 5, 5),
    32,
    budget=24,
)
