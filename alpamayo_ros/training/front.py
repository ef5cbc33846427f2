"""Which views are trained densely: those of the cameras that a drive cannot do without."""

from __future__ import annotations

from alpamayo_ros.profile import ModelProfile


def front_views(profile: ModelProfile) -> list[int]:
    """Views of the mandatory cameras; ValueError where they are not the first of the views.

    Tokens of the front views are then the first of a timestep.
    """
    mandatory = {camera.name for camera in profile.cameras if camera.mandatory}
    found = [i for i, view in enumerate(profile.views) if view.camera in mandatory]
    if not found or found != list(range(len(found))):
        raise ValueError(f'views of mandatory cameras {sorted(mandatory)} come first')
    return found


def front_tokens(profile: ModelProfile) -> int:
    """Tokens of the front views in one timestep."""
    return sum(profile.views[i].tokens for i in front_views(profile))


def side_views(profile: ModelProfile) -> list[int]:
    """All other views."""
    return list(range(len(front_views(profile)), len(profile.views)))


def side_tokens(profile: ModelProfile) -> int:
    """Tokens of the richest of the other views; its head reads as many of each."""
    return max(profile.views[i].tokens for i in side_views(profile))
