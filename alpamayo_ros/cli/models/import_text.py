"""``alpamayo model import-text``: a run folder that begins with a pretrained text model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from alpamayo_ros.faults import Fault
    from alpamayo_ros.model.grammar import Grammar
    from alpamayo_ros.model.vla import VLA
    from alpamayo_ros.profile import ModelProfile

WEIGHTS = 'model.safetensors'


def import_text(source: Path, profile: ModelProfile, to: Path) -> Fault | None:
    """Write ``to/model.safetensors`` and the two text files, or say what does not fit.

    The backbone comes from ``source``, everything else is fresh; numbers are as wide as there.
    """
    from alpamayo_ros.faults import Fault
    from alpamayo_ros.training.checkpoint import save_weights
    from alpamayo_ros.training.vocabulary import write_vocabulary

    if (to / WEIGHTS).exists():
        raise typer.BadParameter(f'{to / WEIGHTS} is there already; choose another --to')
    _check_source(source)
    grammar = _words(source, profile)
    model = grammar if isinstance(grammar, Fault) else _model(source, profile)
    if isinstance(grammar, Fault) or isinstance(model, Fault):
        return grammar if isinstance(grammar, Fault) else model  # type: ignore[return-value]
    to.mkdir(parents=True, exist_ok=True)
    write_vocabulary(grammar, to)
    save_weights(to / WEIGHTS, model)
    theirs, ours = (sum(p.numel() for p in m.parameters()) for m in (model.backbone, model))
    typer.echo(f'{to / WEIGHTS}: {ours:,} parameters, {theirs:,} of them from {source}.')
    typer.echo(f'alpamayo train run --root {to} goes on from there; nothing else is trained yet.')
    return None


def _check_source(source: Path) -> None:
    """BadParameter where the folder holds nothing of a checkpoint."""
    if not (source / 'config.json').is_file() and not any(source.glob('*.safetensors')):
        raise typer.BadParameter(
            f'{source} holds no config.json and no *.safetensors; expected is the folder that a '
            'Hugging Face checkpoint was downloaded to: name that one'
        )


def _words(source: Path, profile: ModelProfile) -> Grammar | Fault:
    from alpamayo_ros.faults import Code, Fault
    from alpamayo_ros.model.pretrained_words import read_tokenizer
    from alpamayo_ros.training.vocabulary import bind

    tokenizer = read_tokenizer(source, profile.text.vocab_size)
    if isinstance(tokenizer, Fault):
        return tokenizer
    try:
        return bind(profile, tokenizer)
    except ValueError as error:
        return Fault(Code.MODEL_FORMAT, str(error))


def _model(source: Path, profile: ModelProfile) -> VLA | Fault:
    import torch

    from alpamayo_ros.model.pretrained import load_text_weights, number_format
    from alpamayo_ros.model.pretrained_words import make_room
    from alpamayo_ros.model.vla import VLA

    width = number_format(source)
    if not isinstance(width, torch.dtype):
        return width
    before = torch.get_default_dtype()
    torch.set_default_dtype(width)
    try:
        torch.manual_seed(0)
        model = VLA(profile)
    finally:
        torch.set_default_dtype(before)
    fault = load_text_weights(model.backbone, source)
    if fault is not None:
        return fault
    make_room(model.backbone)
    return model
