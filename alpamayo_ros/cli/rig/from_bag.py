"""``alpamayo rig from-bag``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alpamayo_ros.cli.working import working
from alpamayo_ros.statuses import ConfigError, Status

if TYPE_CHECKING:
    from alpamayo_ros.rigs.from_bag import Draft


def from_bag(
    bag: Annotated[Path, typer.Argument(help='Recording: .mcap, .db3 or a rosbag2 folder.')],
    out: Annotated[
        Path | None, typer.Option(help='File to write; default: BAG.rig.yaml beside the bag.')
    ] = None,
    profile: Annotated[str, typer.Option(help='What the model needs.')] = 'nano',
    camera: Annotated[
        list[str] | None,
        typer.Option(help='TOPIC=NAME: which camera a topic is, as often as needed.'),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=1, max=3600, help='Of pictures to look through.')
    ] = 30.0,
    force: Annotated[bool, typer.Option('--force', help='Write over an existing file.')] = False,
) -> None:
    """Write the rig file of a recording: topics, sizes, frames, calibration, rates.

    What the bag does not say (mounts without /tf_static, lenses without
    CameraInfo, the vehicle) is assumed, marked in the file and listed here
    with what to do. Then:

      alpamayo rig check BAG.rig.yaml BAG

      alpamayo replay BAG --rig BAG.rig.yaml --incomplete

    Example: alpamayo rig from-bag drive.mcap --camera /cam0/image_raw=front
    """
    from alpamayo_ros.bags.whole_file import write_whole
    from alpamayo_ros.datasets.rig_file import rig_path
    from alpamayo_ros.preflight import check_bag, check_file
    from alpamayo_ros.profile import load_profile
    from alpamayo_ros.rigs.from_bag import draft
    from alpamayo_ros.rigs.rig_text import text
    from alpamayo_ros.rigs.survey import survey

    check_bag(bag)
    wanted, named = load_profile(profile), _named(camera or [])
    target = out or rig_path(bag)
    check_file(target)
    if target.exists() and not force:
        raise ConfigError(f'{target} exists; name another with --out, or write over it: --force')
    with working('reading') as moved:
        found = survey(bag, seconds, moved)
    drafted = draft(found, wanted, bag.name.removesuffix(bag.suffix) or 'rig', named)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, text(drafted, bag.name))
    _say(drafted, target, bag)
    if found.fault:
        typer.echo(f'alpamayo: {found.fault}', err=True)
        raise typer.Exit(Status.DAMAGED)


def _named(texts: list[str]) -> dict[str, str]:
    out: dict[str, str] = {}
    for text in texts:
        topic, sign, name = text.rpartition('=')
        if not (sign and topic and name) or name in out.values():
            raise ConfigError(f'--camera {text!r}: expected TOPIC=NAME, each name once')
        out[topic] = name
    return out


def _say(drafted: Draft, target: Path, bag: Path) -> None:
    """The cameras, then what is missing and what to do."""
    from alpamayo_ros.rigs.rig_text import printable

    for camera in drafted.rig.cameras:
        lens = 'no calibration' if camera.hfov_deg is not None else 'calibrated'
        size = f'{camera.width} x {camera.height}'
        line = f'{camera.name:>12}: {camera.topic}, {size}, {camera.rate_hz:g} Hz, {lens}'
        typer.echo(printable(line))
    if drafted.todo:
        typer.echo('What the bag does not say:')
    for sentence in drafted.todo:
        typer.echo(printable(f'  - {sentence}.'))
    flag = ' --incomplete' if drafted.rig.assumed else ''
    typer.echo(f'{target}: written. Next: alpamayo rig check {target} {bag}')
    typer.echo(f'then: alpamayo replay {bag} --rig {target}{flag}')
