"""``alpamayo rig check``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alpamayo_ros.cli.common.refusing import whoever_reads
from alpamayo_ros.cli.working import working
from alpamayo_ros.statuses import Status

if TYPE_CHECKING:
    from alpamayo_ros.rigs.finding import Finding

COLOURS = {'wrong': 'red', 'warn': 'yellow', 'note': 'cyan', 'good': 'green'}
PICTURE, FINDINGS, LIVE = 'coverage.png', 'findings.json', 'live.mcap'


def check(
    rig: Annotated[str, typer.Argument(help='Rig name or file.')],
    bag: Annotated[
        Path | None, typer.Argument(help='A recording of it: .mcap, .db3 or a rosbag2 folder.')
    ] = None,
    profile: Annotated[str, typer.Option(help='What the model needs.')] = 'nano',
    live: Annotated[
        bool, typer.Option('--live', help='Record what runs now, and look at that.')
    ] = False,
    sim_time: Annotated[
        bool, typer.Option('--sim-time', help='--live: time comes from /clock.')
    ] = False,
    topics: Annotated[
        str, typer.Option(help='--live: YAML file, topic of this package to that of the vehicle.')
    ] = '',
    out: Annotated[Path, typer.Option(help='Folder to write.')] = Path('out/rig'),
    seconds: Annotated[
        float, typer.Option(min=1, max=3600, help='Of the recording to look at.')
    ] = 60.0,
    as_json: Annotated[bool, typer.Option('--json', help='Print findings.json.')] = False,
) -> None:
    """Hold a rig against what a model wants and, with BAG or --live, against what its sensors say.

    Fields of view, sharpness, gaps and overlaps all around; of a recording
    also rates, calibration, clocks, and the mounts as the optical flow shows
    them while driving straight on. Writes DIR/coverage.png (from above) and
    DIR/findings.json. Exit 1 where something is wrong, 0 with warnings.

    Example: alpamayo rig check my_car.yaml drive.mcap --out out/rig
    """
    from alpamayo_ros.preflight import check_bag, check_folder
    from alpamayo_ros.profile import load_profile
    from alpamayo_ros.rigs import against_bag, against_profile, coverage_picture
    from alpamayo_ros.rigs.finding import ordered
    from alpamayo_ros.sensing.rig import load_rig

    if live and bag is not None:
        raise typer.BadParameter('name a recording or --live, not both')
    if not live and (sim_time or topics):
        raise typer.BadParameter('--sim-time and --topics are about --live')
    check_folder(out)
    wanted, known = load_profile(profile), load_rig(rig)
    if live:
        from alpamayo_ros.cli.rig.live import listener, record
        from alpamayo_ros.security.topic_names import check_topic_map

        check_topic_map(topics, known, wanted)
        bag = out / LIVE
        record(bag, listener(rig, profile, topics, bag, sim_time), seconds)
    found = against_profile.findings(known, wanted)
    if bag is not None:
        check_bag(bag)
        with working('looking') as moved:
            found += against_bag.findings(bag, known, wanted, seconds, moved)
    found = ordered(found)
    coverage_picture.write(out / PICTURE, known, wanted)
    result = json.dumps([one.as_dict() for one in found], indent=1)
    (out / FINDINGS).write_text(result + '\n', encoding='utf-8')
    with whoever_reads():
        if as_json:
            typer.echo(result)
        else:
            _show(found, out)
    wrong = any(one.level == 'wrong' for one in found)
    raise typer.Exit(Status.FAIL if wrong else Status.PASS)


def _show(found: list[Finding], out: Path) -> None:
    """A line a finding, and below it what to change."""
    from rich.console import Console
    from rich.text import Text

    from alpamayo_ros.rigs.rig_text import printable

    console = Console()
    for one in found:
        line = Text(f'{one.level:>5} ', style=COLOURS[one.level])
        line.append(f'{one.about}: ', style='bold')
        line.append(printable(one.text), style='default')
        console.print(line, soft_wrap=True)
        if one.change:
            console.print(Text(f'      -> {printable(one.change)}'), soft_wrap=True)
    console.print(f'{out}/{PICTURE}, {out}/{FINDINGS}', soft_wrap=True, markup=False)
