"""``alpamayo data``: recordings in other formats, converted to bags."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help='Convert recordings.')
convert = typer.Typer(no_args_is_help=True, help='Convert a recording to an mcap and a rig file.')
app.add_typer(convert, name='convert')


@convert.callback()
def formats() -> None:
    """Convert a recording to an mcap and a rig file."""


@convert.command('surround_dgp')
def surround_dgp(
    source: Annotated[Path, typer.Argument(help='Folder of a DGP scene (scene_*.json).')],
    out: Annotated[Path, typer.Argument(help='Bag to write (.mcap).')],
) -> None:
    """Six surround cameras with calibration and poses of a DGP scene."""
    from alpamayo_ros.evaluation.surround_dgp import convert as run

    scene = run(source, out)
    stamps = sorted({image.stamp_ns for image in scene.images})
    typer.echo(
        f'{out}: {len(scene.images)} images of {len(scene.rig.cameras)} cameras at '
        f'{len(stamps)} instants over {(stamps[-1] - stamps[0]) / 1e9:.2f} s (converted)\n'
        f'{out.with_suffix(".rig.yaml")}: the rig; vehicle dimensions are assumed'
    )
    if scene.clock_divisor != 1:
        typer.echo(f'stamps were divided by {scene.clock_divisor}: the scene dates itself to 2464')
