"""``alpamayo model show nvidia-1.5-10b``: the contract of a released model and its size."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from alpamayo_ros.profile import ModelProfile


def print_released(profile: ModelProfile, as_json: bool) -> None:
    """Cameras, time base, prompt and parameters, as JSON or as lines."""
    found = contract(profile)
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    typer.echo(f'{profile.name}: {profile.description}')
    for key, value in found.items():
        if key not in ('profile', 'description'):
            text = ', '.join(map(str, value)) if isinstance(value, list) else value
            typer.echo(f'  {key}: {text:,}' if isinstance(text, int) else f'  {key}: {text}')
    typer.echo("Weights and code are the vendor's; none ship here (docs/nvidia_checkpoints.md).")


def contract(profile: ModelProfile) -> dict[str, Any]:
    """What the model takes and how large it is, as plain data."""
    from alpamayo_ros.model.released.tensors import parameters
    from alpamayo_ros.released_contract import prompt_tokens

    views, frames = [view.name for view in profile.views], profile.frames
    height, width = profile.view_size
    tokens, named = profile.views[0].tokens, profile.text.names_pictures
    form, past = profile.trajectory, profile.ego_history
    counts = parameters(profile)
    return {
        'profile': profile.name,
        'description': profile.description,
        'views': views,
        'picture': f'{width} x {height}, {tokens} tokens',
        'frames': f'{frames.count}, {frames.spacing_s:g} s apart',
        'ego_history': f'{past.count} poses, {past.spacing_s:g} s apart, without a gap',
        'trajectory': f'{form.points} points, {form.dt_s:g} s apart',
        'prompt_tokens': prompt_tokens(views, frames.count, tokens, named),
        **{f'{part}_parameters': count for part, count in counts.items()},
        'parameters': sum(counts.values()),
    }
