"""``alpamayo model adopt``: check a checkpoint of NVIDIA on this disk and keep how to run it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from alpamayo_ros.cli.choices import any_profile_of, one_of
from alpamayo_ros.runtime.registry import status_of
from alpamayo_ros.statuses import Status

if TYPE_CHECKING:
    from alpamayo_ros.faults import Fault
    from alpamayo_ros.runtime.nvidia.adoption import Choices

T = TypeVar('T')
RUNS = 'nvidia-1.5-10b'  # whose class the vendor's process knows
UNTRIED = {  # contracts that are known, of classes that are not
    'nvidia-r1-10b': ': R1 is another class in another package, whose checkpoint stores seven '
    'constants besides the weights; nothing here was compared with it'
}
LICENCES = ('LICENSE', 'LICENSE.txt', 'LICENSE.md', 'LICENCE', 'NOTICE')
MAX_LICENCE = 1 << 16
NEEDS = ('config.json', 'tokenizer_config.json')  # of a language model's folder
DTYPES = ('bfloat16', 'float32')
ATTENTIONS = ('sdpa', 'flash_attention_2', 'eager')


def adopt(
    folder: Annotated[Path, typer.Argument(help='Folder of the checkpoint.')],
    interpreter: Annotated[
        Path, typer.Option(help="The Python that NVIDIA's package is installed for.")
    ],
    profile: Annotated[str, typer.Option(help='Profile of the checkpoint.')] = RUNS,
    vlm: Annotated[
        Path | None,
        typer.Option(
            help='Configuration and tokenizer of the language model; default: in the checkpoint.'
        ),
    ] = None,
    source: Annotated[
        list[Path] | None, typer.Option(help="Folder to import NVIDIA's package from; repeatable.")
    ] = None,
    device: Annotated[str, typer.Option(help='cuda, cuda:1 or cpu.')] = 'cuda',
    dtype: Annotated[str, typer.Option(help=f'{" or ".join(DTYPES)}.')] = DTYPES[0],
    attention: Annotated[str, typer.Option(help=f'{", ".join(ATTENTIONS)}.')] = ATTENTIONS[0],
    networks: Annotated[
        str,
        typer.Option(
            help="vendor: NVIDIA's class; own: this package's networks, which need no such class."
        ),
    ] = 'vendor',
    words: Annotated[
        str,
        typer.Option(
            help='greedy or sampled: one text for all candidates; each: a sampled text for each.'
        ),
    ] = 'greedy',
    speed: Annotated[
        str, typer.Option(help="Speed at t0: of odometry, or of history (the vendor's way).")
    ] = 'odometry',
    guidance: Annotated[
        float, typer.Option(min=0, max=10, help='Weight of the instruction; 1: no second pass.')
    ] = 1.0,
    to: Annotated[
        Path | None, typer.Option(help='Record to write; default: that of the profile.')
    ] = None,
) -> None:
    """Compare names and shapes with the profile, hash every file, show the licence, keep a record.

    Nothing is loaded, downloaded or written into the folder. A runtime hashes all of it again.

    Example: alpamayo model adopt ~/Alpamayo-1.5-10B --interpreter ~/alpamayo1.5/.venv/bin/python
    --vlm ~/Cosmos-Reason2-8B
    """
    from alpamayo_ros.runtime.nvidia.adoption import ENGINES, Choices
    from alpamayo_ros.runtime.nvidia.child.settings import SPEEDS, WORDS

    for name, value, known in (
        ('dtype', dtype, DTYPES), ('attention', attention, ATTENTIONS), ('words', words, WORDS),
        ('speed', speed, SPEEDS), ('networks', networks, tuple(ENGINES)),
    ):  # fmt: skip
        one_of(name, value, known)
    if networks == 'own':
        _fits_own(words, attention, source or [])
    if not interpreter.is_file():
        raise typer.BadParameter(f'--interpreter: there is no file {interpreter}')
    chosen = {'dtype': dtype, 'attention': attention, 'words': words, 'speed': speed}
    choices = Choices.model_validate(
        {
            'interpreter': str(interpreter.absolute()),  # its links say which environment it has
            'vlm': str((vlm or folder).resolve()),
            'source': tuple(str(path.resolve()) for path in source or ()),
            'device': device,
            'guidance': guidance,
            'engine': ENGINES[networks],
            **chosen,
        }
    )
    _adopt(folder, profile, choices, to)


def _fits_own(words: str, attention: str, source: list[Path]) -> None:
    """typer.BadParameter for what only NVIDIA's class does."""
    for option, default in (
        (f'--words {words}', words == 'greedy'), (f'--attention {attention}', attention == 'sdpa'),
        ('--source', not source),
    ):  # fmt: skip
        if not default:
            text = f"{option} is for NVIDIA's class; leave it out, or --networks own"
            raise typer.BadParameter(f'--networks own: {text}')


def _adopt(folder: Path, name: str, choices: Choices, to: Path | None) -> None:
    """The record of ``folder``, or the end of the command with what is wrong."""
    from alpamayo_ros.faults import Fault
    from alpamayo_ros.runtime.nvidia import adoption, checkpoint

    profile = any_profile_of(name)
    if profile.architecture != 'nvidia_flow' or not profile.text.names_pictures:
        text = f'{name}: the vendor process runs {RUNS} and profiles made from it; no other'
        _end(f'{text}{UNTRIED.get(name, "")}')
    files = _or_end(checkpoint.files_of(folder))
    found = _or_end(checkpoint.shapes_of(files))
    fault = checkpoint.compare(found, profile)
    if fault is not None:
        _end(fault)
    words = _or_end(checkpoint.files_of(Path(choices.vlm)))
    lacking = [needed for needed in NEEDS if needed not in words]
    if lacking:
        text = f'{choices.vlm} has no {" and no ".join(lacking)}: name the folder of the language'
        _end(f'{text} model (Cosmos-Reason2-8B) by --vlm')
    _show_licence(folder)
    whole = folder.absolute()
    paths = {str(whole / name): place for name, place in files.items()}
    small = {n: p for n, p in words.items() if not n.endswith('.safetensors')}  # never loaded
    paths |= {str(Path(choices.vlm) / name): place for name, place in small.items()}
    record = adoption.adopt(profile, whole, choices, paths)
    if isinstance(record, Fault):
        _end(record)
    place = to if to is not None else adoption.record_path(profile.name)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(record.to_json())
    size = sum(entry.bytes for entry in record.files) / 1e9
    typer.echo(f'{len(found):,} tensors, those of the profile; {len(paths)} files, {size:.1f} GB')
    typer.echo(f'{place}: {record.sha256[:16]}; run it with --profile {name}')


def _show_licence(folder: Path) -> None:
    """Text of the licence in the folder; that there is none is said."""
    for name in LICENCES:
        if (folder / name).is_file():
            with (folder / name).open('rb') as file:
                text = file.read(MAX_LICENCE).decode('utf-8', 'replace')
            typer.echo(f'{folder / name} says:\n{text}')
            return
    typer.echo(f'{folder} holds no licence file; the terms are those you fetched it under.')


def _or_end(found: T | Fault) -> T:
    """``found``, or the end of the command with the fault."""
    from alpamayo_ros.faults import Fault

    if isinstance(found, Fault):
        _end(found)
    return found


def _end(found: Fault | str) -> NoReturn:
    """Print what is wrong and exit with its status."""
    typer.echo(str(found), err=True)
    raise typer.Exit(Status.USAGE if isinstance(found, str) else status_of(found))
