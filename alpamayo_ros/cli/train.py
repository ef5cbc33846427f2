"""``alpamayo train``: a recipe step by step, or a stream of fresh drives; both resume."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from alpamayo_ros.statuses import ConfigError

HELP = """Train a recipe step by step, or a stream of fresh drives; both go on where they stopped.

Example: alpamayo train run --recipe nano --root runs/nano
"""
app = typer.Typer(no_args_is_help=True, add_completion=False, help=HELP)

RecipeOption = Annotated[
    str, typer.Option(help='A recipe of config/training by name, or a .yaml path.')
]
StreamOption = Annotated[
    str,
    typer.Option(
        help='stream, stream_two_cores, stream_words, stream_towns, stream_toy, rl, '
        'rl_two_cores, rl_toy, wordings, or a .yaml path with such keys.'
    ),
]
StageOption = Annotated[
    Literal['sft', 'dagger', 'rl', 'wordings'] | None,
    typer.Option(
        help='sft: on the expert alone; dagger: on states of the policy too; rl: by the worth of '
        'its answers (recipe rl, --from needed); wordings: other words for what passengers ask '
        '(recipe wordings, --from needed). Default: what the recipe says.',
        show_default=False,
    ),
]
RootOption = Annotated[
    Path, typer.Option(help='Folder of the run: data, logs, checkpoints, model.safetensors.')
]


def _open(recipe: str, root: Path, workers: int):
    from alpamayo_ros.cli.training.recipes import find_recipe
    from alpamayo_ros.training.steps.recipe import Recipe
    from alpamayo_ros.training.steps.run import Run

    try:
        path = find_recipe('run', recipe)
        return Run(Recipe.from_file(path), root, path, workers)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from None


@app.command()
def run(
    recipe: RecipeOption = 'nano',
    root: RootOption = Path('runs/nano'),
    until: Annotated[str, typer.Option(help='Stop after this step.')] = '',
    workers: Annotated[
        int, typer.Option(min=1, help='Threads for training, processes for collecting.')
    ] = 2,
) -> None:
    """Do all open steps of a recipe; Ctrl-C is safe, the same command goes on where it stopped.

    Example: alpamayo train run --recipe nano --root runs/nano
    """
    from alpamayo_ros.cli.common.alone import alone
    from alpamayo_ros.cli.training.status import done_steps, is_stream

    if is_stream(root):
        raise typer.BadParameter(f'{root} is a stream; train stream goes on with it, or name '
                                 'another --root')  # fmt: skip
    opened = _open(recipe, root, workers)
    steps = [step.name for step in opened.recipe.steps]
    if until and until not in steps:
        raise typer.BadParameter(f'--until {until}: the recipe has the steps {", ".join(steps)}')
    if changed := opened.changed():
        typer.echo(f'alpamayo train run: {changed}', err=True)
    with alone(root):
        opened.run(until)
    typer.echo(done_steps(opened, root))


@app.command()
def status(
    recipe: Annotated[
        str | None,
        typer.Option(help='Recipe of a run step by step; default: nano.', show_default=False),
    ] = None,
    root: RootOption = Path('runs/nano'),
) -> None:
    """Show how far a run is: its steps, or a stream's time, losses and drives by family.

    Example: alpamayo train status --root runs/stream
    """
    from alpamayo_ros.cli.training.status import is_stream, show_steps, show_stream
    from alpamayo_ros.training.vocabulary import check_begun

    check_begun(root, f'alpamayo train run --root {root} begins one')
    if not is_stream(root):
        show_steps(_open(recipe or 'nano', root, 1), root)
        return
    if recipe is not None:
        raise typer.BadParameter(f'--recipe {recipe}: {root} is a stream, which knows its own')
    show_stream(root)


@app.command()
def stream(
    recipe: StreamOption = 'stream',
    stage: StageOption = None,
    root: RootOption = Path('runs/stream'),
    begin: Annotated[
        Path | None,
        typer.Option('--from', help='Weights to start from: a model or run folder, or a file.'),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=10, help='Of the whole run, publishing included.')
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help='Simulator processes.')] = None,
    ring: Annotated[int | None, typer.Option(min=256, help='Frames that are kept.')] = None,
    batch: Annotated[int | None, typer.Option(min=2, help='Samples a step.')] = None,
    quantise: Annotated[
        Literal['none', 'int8'] | None,
        typer.Option(
            help='int8: linear layers round as INT8 arithmetic would, and learn to bear it.',
            show_default=False,
        ),
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option('--tensorboard', help='Write the curve for TensorBoard too.')
    ] = False,
) -> None:
    """Train end to end while simulators drive random worlds, by the expert and by the policy.

    Runs on CUDA where there is some, else on the CPU. Ctrl-C publishes; the same command goes on.

    Example: alpamayo train stream --from models/nano --root runs/stream --seconds 1500

    Example: alpamayo train stream --stage rl --from runs/stream --root runs/rl
    """
    from alpamayo_ros.cli.training.stream import stream as train

    numbers = {'seconds': seconds, 'workers': workers, 'ring': ring, 'batch': batch}
    named = stage if stage in ('rl', 'wordings') and recipe == 'stream' else recipe
    train(named, root, begin, tensorboard, stage=stage, quantise=quantise, **numbers)


@app.command('gpu-bundle')
def gpu_bundle(
    to: Annotated[Path, typer.Option(help='Folder to write; it must be empty or new.')],
    recipe: StreamOption = 'stream',
    begin: Annotated[
        Path, typer.Option('--from', help='Weights to start from, as for train stream.')
    ] = Path('models/nano'),
    python: Annotated[
        str, typer.Option(metavar='3.N', help='CPython of the GPU machine (Linux x86-64).')
    ] = '3.12',
    libraries: Annotated[
        bool, typer.Option(help="Add the GL dispatch library (Debian's, by apt-get download).")
    ] = True,
    towns: Annotated[
        bool, typer.Option(help='Add SUMO, made small by gcc, readelf and strip.')
    ] = True,
) -> None:
    """Write code, wheels and weights for a GPU machine that has torch and OpenCV, no internet.

    Its start.sh runs train stream there; watch.sh brings the weights back.

    Example: alpamayo train gpu-bundle --to bundle
    """
    from alpamayo_ros.cli.training.bundle import gpu_bundle as write

    write(to, recipe, begin, python, libraries, towns)


@app.command()
def exam(
    root: Annotated[Path, typer.Argument(help='Folder of a run whose recipe has held_out.')],
    weights: Annotated[
        list[Path] | None,
        typer.Argument(
            help='Model or run folders or .safetensors files, compared with the first; default: '
            'those of the run.',
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option('--json', dir_okay=False, help='Write all figures here, by family too.'),
    ] = None,
    wordings: Annotated[
        bool,
        typer.Option(
            '--wordings',
            help='Ask in wordings of config/prompts.yaml instead, all held out and some of '
            'training: how far each moves the plan as the known one does.',
        ),
    ] = False,
) -> None:
    """Put the states that a run held out to its weights and to others, without driving.

    Distances from the expert's plan, facts against the annotator's words, agreement of words and
    plan. A minute or two a model: whether it learnt; train evaluate says whether it drives.

    Example: alpamayo train exam runs/stream models/nano runs/stream

    Example: alpamayo train exam runs/wordings models/nano runs/wordings --wordings
    """
    from alpamayo_ros.cli.training.exam import exam as ask
    from alpamayo_ros.cli.training.exam_wordings import exam_wordings

    (exam_wordings if wordings else ask)(root, weights or [], out)


@app.command()
def evaluate(
    root: Annotated[Path, typer.Argument(help='Folder of a run, or what came back of one.')],
    profile: Annotated[str, typer.Option(help='Profile of the run.')] = 'nano',
    seeds: Annotated[str, typer.Option(help='Of each template, as in alpamayo sim.')] = '0:3',
    limit: Annotated[int | None, typer.Option(min=1, help='Only the first so many.')] = None,
) -> None:
    """Export the weights of a run and drive every template of val with them, from pixels alone.

    Example: alpamayo train evaluate runs/stream
    """
    from alpamayo_ros.cli.training.evaluate import evaluate as score

    score(root, profile, seeds, limit)
