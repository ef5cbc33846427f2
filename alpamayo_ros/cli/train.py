"""``alpamayo train``: expert data, encoder, driver, aggregation, joint; every step resumes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import yaml
from pydantic import ValidationError

from alpamayo_ros.cli.choices import why

app = typer.Typer(no_args_is_help=True, help=__doc__)

RecipeOption = Annotated[
    str, typer.Option(help='A recipe of config/training by name, or a .yaml path.')
]
RootOption = Annotated[
    Path, typer.Option(help='Folder of the run: data, logs, checkpoints, model.safetensors.')
]


def _open(recipe: str, root: Path, workers: int):
    from alpamayo_ros.profile import share_dir
    from alpamayo_ros.training.recipe import Recipe, Run

    path = (
        Path(recipe)
        if recipe.endswith('.yaml')
        else share_dir() / 'config' / 'training' / f'{recipe}.yaml'
    )
    if not path.is_file():
        raise typer.BadParameter(
            f'no recipe {path}; give a .yaml path or a name from config/training'
        )
    try:
        return Run(Recipe.from_file(path), root, path, workers)
    except (ValidationError, yaml.YAMLError) as error:
        raise typer.BadParameter(f'{path} is no recipe: {why(error)}') from None


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
    opened = _open(recipe, root, workers)
    steps = [step.name for step in opened.recipe.steps]
    if until and until not in steps:
        raise typer.BadParameter(f'--until {until}: the recipe has the steps {", ".join(steps)}')
    opened.run(until)


@app.command()
def status(recipe: RecipeOption = 'nano', root: RootOption = Path('runs/nano')) -> None:
    """Show which steps of a run are done and the last line of each log."""
    from rich.console import Console
    from rich.table import Table

    opened = _open(recipe, root, 1)
    table = Table('step', 'does', 'state', 'last line of its log')
    for step in opened.recipe.steps:
        log = root / step.name / 'log.jsonl'
        last = log.read_text().splitlines()[-1][:150] if log.is_file() else ''
        table.add_row(step.name, step.do, 'done' if opened.done(step) else 'open', last)
    Console().print(table)
