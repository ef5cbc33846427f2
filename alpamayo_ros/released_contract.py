"""What the released Alpamayo models fix: cameras, time base, picture size, length of prompt.

Read in NVIDIA's public code of Alpamayo R1 and 1.5 (its helper and its base model); the lengths
are those that their tokenizer gives.  None of that code is used here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

PIXELS = (163_840, 196_608)  # the vendor's processor resizes pictures to so many, in whole cells
CELL_PX = 32  # one visual token: two by two patches of 16 pixels
TIME_BASE = {  # count and spacing [s]
    'frames': (4, 0.1),
    'ego_history': (16, 0.1),
    'trajectory': (64, 0.1),
}
PROMPT_TOKENS = 94  # around the pictures, 48 places of past motion among them
PICTURE_TOKENS = 2  # begin and end of a picture
LABEL_TOKENS = 4  # ' frame 0 ' before a picture, where the prompt names pictures

UNVERIFIED = {  # released models whose contract nobody could read: refused, never guessed
    'nvidia-2-super': 'the order of its pictures, its prompt and its spacing of frames are not '
    'published where they could be verified',
    'nvidia-2-edge': 'its checkpoint (model_type alpamayo2_edge) has another backbone and action '
    'decoder, and their inputs and outputs are not published where they could be verified',
}


@dataclass(frozen=True, slots=True)
class ReleasedCamera:
    """A view of the released models: its place in their order, its name in the prompt.

    ``title_tokens``: length of ``<title> camera:``.
    """

    index: int
    title: str
    title_tokens: int


CAMERAS = {
    'cross_left_120fov': ReleasedCamera(0, 'Front left', 4),
    'front_wide_120fov': ReleasedCamera(1, 'Front', 3),
    'cross_right_120fov': ReleasedCamera(2, 'Front right', 4),
    'rear_left_70fov': ReleasedCamera(3, 'Rear left', 5),
    'rear_tele_30fov': ReleasedCamera(4, 'Rear', 4),
    'rear_right_70fov': ReleasedCamera(5, 'Rear right', 5),
    'front_tele_30fov': ReleasedCamera(6, 'Front telephoto', 5),
}
FRONT = 'front_wide_120fov'


def wrong_views(names: Sequence[str], native: bool) -> Iterator[str]:
    """What a released model does not take of the views ``names``, in their order."""
    unknown = [name for name in names if name not in CAMERAS]
    if unknown:
        yield f'released models know the views {", ".join(CAMERAS)}, not {", ".join(unknown)}'
        return
    order = sorted(names, key=lambda name: CAMERAS[name].index)
    if list(names) != order or len(set(names)) != len(names):
        yield f'released models take each view once, in this order: {", ".join(CAMERAS)}'
    if FRONT not in names:
        yield f'released models are not run without the view {FRONT}'
    if not native:
        yield "released models take whole pictures: every view has projection 'native'"


def wrong_pictures(height: int, width: int, tokens: set[int]) -> Iterator[str]:
    """What a released model does not take of pictures of one size."""
    cells = height // CELL_PX * (width // CELL_PX)
    whole = not (height % CELL_PX or width % CELL_PX)
    if not whole or not PIXELS[0] <= height * width <= PIXELS[1]:
        yield (
            f'pictures of released models have sides that are multiples of {CELL_PX} and '
            f'{PIXELS[0]:,} to {PIXELS[1]:,} pixels (576 x 320), not {width} x {height}'
        )
    elif tokens != {cells}:
        yield f'a picture of {width} x {height} has {cells} tokens, not {sorted(tokens)}'


def wrong_times(found: Mapping[str, tuple[int, float]], gaps: bool) -> Iterator[str]:
    """What a released model does not take of counts and spacings [s], by the profile's key.

    ``gaps``: past motion may lack instants.
    """
    for name, (count, spacing_s) in found.items():
        wanted = TIME_BASE[name]
        if (count, round(spacing_s, 6)) != wanted:
            yield (
                f'{name} of released models: {wanted[0]}, {wanted[1]} s apart; '
                f'got {count}, {spacing_s:g} s apart'
            )
    if gaps:
        yield "released models take no gaps in past motion: history_gaps 'none'"


def prompt_tokens(views: Sequence[str], frames: int, tokens: int, named: bool) -> int:
    """Length of the prompt without an instruction; ``tokens`` a picture.

    ``named``: every camera has its title in the prompt and every picture its number (1.5, not R1).
    """
    around = PICTURE_TOKENS + (LABEL_TOKENS if named else 0)
    titles = sum(CAMERAS[name].title_tokens for name in views) if named else 0
    return PROMPT_TOKENS + titles + len(views) * frames * (tokens + around)
