"""``alpamayo bench released``: the stages of a released model in this package's own networks."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Annotated, Any

import typer

from alpamayo_ros.cli.choices import one_of
from alpamayo_ros.cli.measuring.released_beside import Beside, beside
from alpamayo_ros.cli.models.adopt import ATTENTIONS
from alpamayo_ros.profile import load_profile
from alpamayo_ros.released_contract import prompt_tokens
from alpamayo_ros.statuses import ConfigError, MachineError, NoSuchFileError

PROFILE = 'nvidia-1.5-10b'
PICTURES, NEW, TINY_PROMPT = 16, 4, 400
TINY_ROUNDS = 3


def released_command(
    random_weights: Annotated[
        bool, typer.Option('--random-weights', help='Random numbers in the real shapes.')
    ] = False,
    weights: Annotated[
        Path | None, typer.Option(help='Folder of the checkpoint (*.safetensors).')
    ] = None,
    tiny: Annotated[bool, typer.Option('--tiny', help='Tiny shapes, on the CPU.')] = False,
    candidates: Annotated[int, typer.Option(min=1, max=64, help='Of one text.')] = 8,
    rounds: Annotated[int, typer.Option(min=1, max=1000, help='Calls of which the median.')] = 10,
    interpreter: Annotated[
        Path | None,
        typer.Option(help="Python of NVIDIA's package: its own call is timed too; wants --vlm."),
    ] = None,
    vlm: Annotated[
        Path | None, typer.Option(help='Configuration and tokenizer of the language model.')
    ] = None,
    source: Annotated[
        list[Path] | None, typer.Option(help="Folder to import NVIDIA's package from; repeatable.")
    ] = None,
    attention: Annotated[
        str, typer.Option(help=f"Of NVIDIA's class: {', '.join(ATTENTIONS)}.")
    ] = ATTENTIONS[0],
    as_json: Annotated[bool, typer.Option('--json', help='Print JSON.')] = False,
) -> None:
    """Time the stages of Alpamayo 1.5 in this package's own networks on a GPU.

    Example: alpamayo bench released --random-weights

    Four new pictures, prompt, one word, a draft of 15 words verified, one step of the expert, and
    whole cycles of 20 words.  Exit 6 without a GPU; --tiny runs the same on the CPU.  With
    --interpreter and --vlm NVIDIA's own call follows, in its process, in the same shapes.
    """
    if tiny and weights is not None:
        raise ConfigError('--tiny has random weights; leave --weights out')
    if random_weights and weights is not None:
        raise ConfigError('--random-weights or --weights FOLDER, not both')
    if not (random_weights or tiny or weights is not None):
        raise ConfigError('which weights? --random-weights, or --weights FOLDER of a checkpoint')
    if weights is not None and not weights.is_dir():
        raise NoSuchFileError(f'no folder {weights}; expected that of a checkpoint')
    other = _other(interpreter, vlm, tuple(source or ()), attention)
    rounds = TINY_ROUNDS if tiny else rounds
    found = _measure(weights, tiny, candidates, rounds)
    if other is not None:
        found |= beside(other, load_profile(PROFILE), found, weights, rounds)
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    for key, value in found.items():
        typer.echo(f'{key}: {value:.2f}' if isinstance(value, float) else f'{key}: {value}')


def _other(
    interpreter: Path | None, vlm: Path | None, source: tuple[Path, ...], attention: str
) -> Beside | None:
    """NVIDIA's installation; None where it is not asked for, an error where half of it is."""
    one_of('attention', attention, ATTENTIONS)
    if interpreter is None:
        if vlm is not None or source or attention != ATTENTIONS[0]:
            raise ConfigError("--vlm, --source and --attention are NVIDIA's: add --interpreter")
        return None
    if not interpreter.is_file():
        raise NoSuchFileError(f"no interpreter {interpreter}; expected that of NVIDIA's package")
    if vlm is None or not (vlm / 'config.json').is_file():
        raise ConfigError(
            '--interpreter wants --vlm FOLDER, with config.json and tokenizer of the language '
            'model (Cosmos-Reason2-8B)'
        )
    return Beside(interpreter, vlm, source, attention)


def _measure(weights: Path | None, tiny: bool, candidates: int, rounds: int) -> dict[str, Any]:
    """Machine, shapes and times; MachineError without a GPU for the real shapes."""
    try:
        import torch
    except ImportError as error:
        raise MachineError('torch is missing: pip install -r requirements/train.txt') from error
    from alpamayo_ros.model.released import sizes, speed
    from alpamayo_ros.model.released.network import build
    from alpamayo_ros.model.released.weights import load, randomise, shards

    profile = load_profile(PROFILE)
    if not tiny and not torch.cuda.is_available():
        raise MachineError(
            'no GPU that torch can use: the real shapes are measured on one with 30 GB; '
            '--tiny runs the same on the CPU'
        )
    names, view = [view.name for view in profile.views], profile.views[0]
    tokens = prompt_tokens(names, profile.frames.count, view.tokens, True)
    network = build(
        sizes.TINY if tiny else sizes.sizes(profile),
        'cpu' if tiny else 'cuda',
        torch.float32 if tiny else torch.bfloat16,
    )
    if weights is None:
        randomise(network, seed=0)
    else:
        load(network, shards(weights))
    tokens = TINY_PROMPT if tiny else tokens
    return {
        'device': platform.processor() or 'cpu' if tiny else torch.cuda.get_device_name(),
        'torch': torch.__version__,
        'shapes': 'tiny' if tiny else profile.name,
        'weights': 'random' if weights is None else str(weights),
        'prompt_tokens': tokens,
        'candidates': candidates,
        **speed.stages(network, candidates, tokens, PICTURES, NEW, rounds),
    }
