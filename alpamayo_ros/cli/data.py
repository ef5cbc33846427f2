"""``alpamayo data``: recordings in other formats made into bags; bags checked and sealed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from alpamayo_ros.cli import data_bags, data_log
from alpamayo_ros.cli.clips import judging, making, sharding
from alpamayo_ros.cli.training.stats import stats
from alpamayo_ros.cli.working import working

CONVERT = """Convert a recording to an mcap and, beside it, a rig file.

Each converter says what in the bag is real, what was computed and what was
assumed; the bag carries the same words. Then:

  alpamayo replay drive.mcap --rig drive.rig.yaml --incomplete --out report
"""
BAD = (ValueError, KeyError)

HELP = """Convert, check, seal, recover and simulate recordings; make, filter and review clips.

Examples: alpamayo data check drive.mcap; alpamayo data simulate out/drive.mcap --seconds 20
"""
app = typer.Typer(no_args_is_help=True, add_completion=False, help=HELP)
convert = typer.Typer(no_args_is_help=True, help=CONVERT, rich_markup_mode=None)
app.add_typer(convert, name='convert', short_help='Another format to an mcap and a rig file.')
app.add_typer(
    data_log.app, name='log', short_help='A recorded scene to a log, to drive through it.'
)
app.command('check')(data_bags.check)
app.command('seal')(data_bags.seal)
app.command('recover')(data_bags.recover)
app.command('simulate')(data_bags.simulate)
app.command('stats')(stats)
app.command('clips')(making.clips)
app.command('shards')(sharding.shards)
app.command('filter')(judging.filter_)
app.command('review')(judging.review)


def _new(path: Path) -> Path:
    from alpamayo_ros.bags.new_bag import check_new_bag

    check_new_bag(path)
    return path


Out = Annotated[
    Path, typer.Argument(callback=_new, help='New bag (.mcap); the rig goes beside it.')
]


@convert.command('surround_dgp')
def surround_dgp(
    source: Annotated[Path, typer.Argument(help='Folder of a DGP scene (scene_*.json).')],
    out: Out,
) -> None:
    """Six surround cameras with calibration, poses and 3-D boxes of a DGP scene (TRI-ML/dgp).

    The folder holds scene_*.json, calibration/, rgb/ and, for boxes, bounding_box_3d/.
    """
    from alpamayo_ros.datasets.dgp import convert as run

    with working('converting', BAD, into=out) as moved:
        facts = run(source, out, moved).facts
    assert facts is not None
    _say(out, facts.lines())


@convert.command('kitti_odometry')
def kitti_odometry(
    source: Annotated[
        Path, typer.Argument(help='Folder with calib.txt, poses.txt and image_l/*.png.')
    ],
    out: Out,
) -> None:
    """One grey camera at 10 Hz with poses: a sequence of the KITTI odometry benchmark.

    Poses are those of the left camera; they are moved to the rear axle
    through the mount that the dataset's set-up drawing gives.
    """
    from alpamayo_ros.datasets.kitti_odometry import convert as run

    with working('converting', BAD, into=out) as moved:
        facts = run(source, out, moved)
    _say(out, facts.lines())


@convert.command('comma2k19')
def comma2k19(
    source: Annotated[
        Path, typer.Argument(help='Segment: the folder that holds global_pose and processed_log.')
    ],
    out: Out,
    steering_ratio: Annotated[
        float, typer.Option(min=5.0, max=30.0, help='Steering wheel over road wheels; assumed.')
    ] = 16.9,
) -> None:
    """GNSS odometry at 20 Hz and CAN speed and steering at 83 Hz of a comma2k19 segment; no video.

    Positions (ECEF) become a local east-north-up frame; the attitude of the
    device in the car is computed from the direction of travel.
    """
    from alpamayo_ros.datasets.comma2k19 import convert as run

    with working('converting', BAD, into=out) as moved:
        facts = run(source, out, moved, steering_ratio)
    _say(out, facts.lines())


@convert.command('nuscenes')
def nuscenes(
    source: Annotated[
        Path, typer.Argument(help='Folder that holds v1.0-*/ (the tables) and samples/.')
    ],
    out: Out,
    scene: Annotated[
        str, typer.Option(help='Name of the scene, scene-0061 for example; default: the first.')
    ] = '',
    version: Annotated[
        str, typer.Option(help='Folder of the tables, v1.0-mini for example, if there are more.')
    ] = '',
) -> None:
    """All cameras, poses and boxes of one scene in nuScenes format; sweeps/ are used if there.

    Any folder with the tables scene, sample, sample_data, ego_pose,
    calibrated_sensor and sensor will do; no software of the dataset is needed.
    """
    from alpamayo_ros.datasets.nuscenes import convert as run

    with working('converting', BAD, into=out) as moved:
        facts = run(source, out, moved, scene, version)
    _say(out, facts.lines())


@app.command()
def annotate(
    scenario: Annotated[str, typer.Argument(help='Name of a scenario, or a .yaml path.')],
    seed: Annotated[int, typer.Option(min=0, help='Seed of the drive.')] = 10000,
    every: Annotated[float, typer.Option(min=0.1, help='Seconds between two chains.')] = 1.0,
    prompt: Annotated[str, typer.Option(help='What the expert is asked for.')] = '',
    out: Annotated[
        Path | None, typer.Option(help='Write a page with the front pictures (.html) instead.')
    ] = None,
) -> None:
    """Drive with the expert and show the chain of causation (phrases_v2) that training would see.

    Example: alpamayo data annotate adult_from_right --out words.html
    """
    from alpamayo_ros.profile import load_profile
    from alpamayo_ros.simulation.driving_wish import read_prompt
    from alpamayo_ros.simulation.scenario import load_scenario
    from alpamayo_ros.training.annotation.review import instants, page
    from alpamayo_ros.training.grammar_file import load_spec

    try:
        chosen = load_scenario(scenario)
    except (FileNotFoundError, ValueError) as error:
        raise typer.BadParameter(str(error)) from error
    if out is not None and not out.parent.is_dir():
        raise typer.BadParameter(f'--out {out}: there is no folder {out.parent}; make it first')
    unknown = read_prompt(prompt).unknown
    if unknown:
        known = 'config/prompts.yaml lists what it obeys'
        raise typer.BadParameter(f'--prompt: the expert does not understand {unknown!r}; {known}')
    form, spec, shown = load_profile('nano').trajectory, load_spec('phrases_v2'), []
    for one in instants(chosen, seed, spec, form, every, prompt):
        shown.append(one)
        if out is None:
            typer.echo(f'{one.time_s:.1f} s, {one.speed_mps:.1f} m/s, {one.navigation}')
            typer.echo('  ' + '\n  '.join((*one.lines, f'[{one.verdict}]')))
    if out is not None:
        out.write_text(page(f'{chosen.name}, seed {seed}', shown), encoding='utf-8')
        typer.echo(f'{out}: {len(shown)} chains of causation')


def _say(out: Path, lines: list[str]) -> None:
    from alpamayo_ros.datasets.rig_file import rig_path

    typer.echo(f'{out}: ' + '\n'.join(lines))
    typer.echo(f'{rig_path(out)}: the rig')
