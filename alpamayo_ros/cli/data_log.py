"""``alpamayo data log``: recorded scenes made into logs that the simulator drives through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alpamayo_ros.cli.choices import one_of
from alpamayo_ros.cli.working import working
from alpamayo_ros.units import counted

if TYPE_CHECKING:
    from alpamayo_ros.datasets.log_build import Material
    from alpamayo_ros.datasets.log_format import Log

HELP = """Convert a recorded scene to a log of tracks and map, to drive through it.

Writes OUT (.json) and, beside it, a scenario (.yaml):

  alpamayo sim --scenario OUT.yaml --seeds 0

Agents do again what they did; they do not react to the ego. A log keeps the
licence of its recording.
"""
SCENARIO = """# Written by `alpamayo data log`; every key of a scenario may be added.
name: {name}
description: {description}
family: recorded_log
map: log
verdict: safe
duration_s: {duration_s}
goal_m: {goal_m}
{limit}traffic: {{log: {log}}}
"""
GOAL_MAX_M = 1500.0  # of the scenario schema

app = typer.Typer(no_args_is_help=True, help=HELP, rich_markup_mode=None)

Out = Annotated[Path, typer.Argument(help='Log to write (.json); a scenario (.yaml) beside it.')]
Extend = Annotated[
    float,
    typer.Option(
        min=0, max=20, help='Seconds for which everybody goes straight on after the end; assumed.'
    ),
]


@app.command('scenarionet')
def scenarionet(
    source: Annotated[Path, typer.Argument(help='File sd_*.pkl of a ScenarioNet data set.')],
    out: Out,
    extend: Extend = 0.0,
) -> None:
    """A ScenarioNet scene: Waymo, nuScenes, nuPlan and others.

    The pickle is read as data: nothing in it is ever imported or called, and
    whatever is not a number, text, list, dict or numpy array is refused by name.
    """
    from alpamayo_ros.datasets import log_scenarionet

    with working('reading', (ValueError, OSError), into=out):
        _write(log_scenarionet.read(source), out, extend)


@app.command('commonroad')
def commonroad(
    source: Annotated[Path, typer.Argument(help='Scenario in XML, version 2018b or 2020a.')],
    out: Out,
    ego: Annotated[
        str, typer.Option(help='Id of the vehicle to be driven; default: who drives furthest.')
    ] = '',
    extend: Extend = 0.0,
) -> None:
    """A CommonRoad scenario, one of its recorded vehicles being the ego."""
    from alpamayo_ros.datasets import log_commonroad

    with working('reading', (ValueError, OSError), into=out):
        _write(log_commonroad.read(source, ego), out, extend)


@app.command('surround_dgp')
def surround_dgp(
    source: Annotated[Path, typer.Argument(help='Folder of a DGP scene (scene_*.json).')],
    out: Out,
    extend: Extend = 0.0,
) -> None:
    """A DGP scene (TRI-ML/dgp) with 3-D boxes; it has no map."""
    from alpamayo_ros.datasets import log_dgp
    from alpamayo_ros.simulation.sim_rig import sim_vehicle

    with working('reading', (ValueError, OSError), into=out):
        car = sim_vehicle()
        scene = log_dgp.read(source, car.length_m, car.width_m, car.centre_m)
        _write(scene, out, extend)


@app.command('nuscenes')
def nuscenes(
    source: Annotated[Path, typer.Argument(help='Folder that holds v1.0-*/ (the tables).')],
    out: Out,
    scene: Annotated[
        str, typer.Option(help='Name of the scene, scene-0061 for example; default: the first.')
    ] = '',
    version: Annotated[
        str, typer.Option(help='Folder of the tables, v1.0-mini for example, if there are more.')
    ] = '',
    extend: Extend = 0.0,
) -> None:
    """A scene of a folder in nuScenes format: poses and boxes; its maps are not read."""
    from alpamayo_ros.datasets import log_nuscenes

    with working('reading', (ValueError, OSError), into=out):
        _write(log_nuscenes.read(source, scene, version), out, extend)


@app.command('simulated')
def simulated(
    scenario: Annotated[str, typer.Argument(help='Name of a scenario, or a .yaml path.')],
    out: Out,
    seed: Annotated[int, typer.Option(min=0, help='Seed of the drive.')] = 0,
    driver: Annotated[
        str, typer.Option(help='expert, constant_speed, late_braking, ignoring, or a runtime.')
    ] = 'expert',
    prompt: Annotated[str, typer.Option(help='How a passenger asks for it to be driven.')] = '',
    from_s: Annotated[
        float, typer.Option('--from', min=0, max=600, help='Leave out so many seconds first.')
    ] = 0.0,
    seconds: Annotated[
        float, typer.Option(min=1, max=120, help='Length at most; the drive may end before.')
    ] = 20.0,
) -> None:
    """A drive of this package's own simulator, by one of several drivers; free for any use.

    A driver who has an accident or passes a red light leaves no log: end the excerpt before.
    """
    from alpamayo_ros.simulation.drive.drive_log import Excerpt
    from alpamayo_ros.simulation.drive.recipe import DRIVERS, Recipe

    one_of('driver', driver, DRIVERS)
    with working('recording', (ValueError, OSError), into=out):
        _check_out(out)
        recipe = Recipe(scenario, seed, driver, prompt, Excerpt(from_s, seconds))
        _write(recipe.material(out.stem), out, 0.0)


@app.command('check')
def check(log: Annotated[str, typer.Argument(help='A log (.json).')]) -> None:
    """Read a log and say what is in it, and whose it is; exit 2 if it cannot be used."""
    from alpamayo_ros.datasets.log_format import read_log

    with working('reading', (ValueError, OSError)):
        found = read_log(log)
    typer.echo('\n'.join(_facts(found)))


def _write(material: Material, out: Path, extend_s: float) -> None:
    """Write log and scenario, and say what is in them."""
    from alpamayo_ros.datasets.log_build import build
    from alpamayo_ros.datasets.log_format import write_log

    _check_out(out)
    log = build(material, extend_s)
    size = write_log(log, out)
    scenario = out.with_suffix('.yaml')
    scenario.write_text(_scenario(log, out))
    typer.echo(f'{out}: {size} bytes\n' + '\n'.join(_facts(log)) + f'\n{scenario}: the scenario')


def _check_out(out: Path) -> None:
    """Refuse a name that no log can have, and a place where none can be written."""
    from alpamayo_ros.datasets.log_format import LogError
    from alpamayo_ros.preflight import check_file

    if out.suffix != '.json':
        raise LogError(f'{out}: expected a name that ends in .json')
    if not out.parent.is_dir():
        raise LogError(f'{out}: there is no folder {out.parent}; make it first')
    check_file(out)


def _scenario(log: Log, out: Path) -> str:
    """A scenario that drives the log to its end."""
    import numpy as np

    from alpamayo_ros.simulation.maps.log_road import LogRoad
    from alpamayo_ros.simulation.sim_rig import sim_vehicle

    xy = log.ego.states()[:, :2]
    driven = float(np.linalg.norm(np.diff(xy, axis=0), axis=1).sum())
    posted = LogRoad(log, sim_vehicle(), 0).posted_mps
    agents = counted(len(log.agents), 'agent')
    return SCENARIO.format(
        name=json.dumps(out.stem),  # a name may look like a number or hold a colon
        description=f'{log.duration_s:.1f} s of a recorded scene, {agents}',
        duration_s=round(log.duration_s, 1),
        goal_m=round(min(max(driven, 1.0), GOAL_MAX_M), 1),
        limit='' if posted is None else f'speed_limit_mps: {posted:.2f}\n',
        log=json.dumps(out.name),
    )


def _facts(log: Log) -> list[str]:
    """What a log holds, a line each."""
    from collections import Counter

    kinds = ', '.join(f'{n} {k}' for k, n in sorted(Counter(a.kind for a in log.agents).items()))
    lines = ', '.join(f'{n} {k}' for k, n in sorted(Counter(x.kind for x in log.lines).items()))
    about = log.provenance
    out = [
        f'  {log.duration_s:.1f} s at 10 Hz; agents: {kinds or "none"}',
        f'  map: {lines or "none"}; signals: {len(log.signals)}',
        f'  source: {about.source}',
        f'  licence: {about.licence}',
    ]
    for word, items in (
        ('real', about.real),
        ('computed', about.computed),
        ('assumed', about.assumed),
    ):
        out += [f'  {word}: {item}' for item in items]
    return out
