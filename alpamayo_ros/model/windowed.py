"""The members whose pictures are 1600 x 900 with windowed attention, as variants of profiles."""

from __future__ import annotations

from alpamayo_ros.profile import ModelProfile

WINDOW = (19, 20)  # patches: 57 x 100 of a picture are 3 x 5 windows
GLOBAL_LAYERS = 4  # as in ViTDet (Li et al. 2022, section 3)


def windowed(profile: ModelProfile) -> ModelProfile | None:
    """The same weights under windows; None where they do not fit, or there are some already."""
    v, (height, width) = profile.vision, profile.view_size
    divided = all(
        -(-side // v.patch) % n == 0 for side, n in zip((height, width), WINDOW, strict=True)
    )
    if v.trunk != 'vit' or v.window is not None or not divided or v.layers % GLOBAL_LAYERS:
        return None
    data = profile.model_dump()
    data['name'] = f'{profile.name}-windows'
    data['vision'] |= {'window': WINDOW, 'global_layers': GLOBAL_LAYERS}
    return ModelProfile.model_validate(data)
