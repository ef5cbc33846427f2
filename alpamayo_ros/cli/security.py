"""``alpamayo security``: the policy of a graph, its keystore, and whether it may start secured."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from alpamayo_ros.bringup import GRAPHS
from alpamayo_ros.cli.choices import one_of
from alpamayo_ros.cli.common.refusing import whoever_reads
from alpamayo_ros.graph_options import CONTROLLERS, Options
from alpamayo_ros.statuses import Status

POLICY = 'policy.xml'
HELP = """Policy and keystore of SROS 2 for a graph, and what they lack (SECURITY.md).

Example: alpamayo security policy --rig my_car.yaml
"""
app = typer.Typer(no_args_is_help=True, add_completion=False, help=HELP)
Graph = Annotated[str, typer.Option('--graph', help='vehicle, simulator or replay.')]
Rig = Annotated[str, typer.Option('--rig', help='Camera rig: a name or a .yaml file.')]
Topics = Annotated[str, typer.Option('--topics', help='YAML file: topic here to topic there.')]
Shadow = Annotated[bool, typer.Option('--shadow', help='Plans on topics under shadow/.')]
Lockstep = Annotated[bool, typer.Option('--lockstep', help='The topics of lockstep as well.')]
Objects = Annotated[str, typer.Option('--objects', help='none or ground_truth.')]
Controller = Annotated[str, typer.Option('--controller', help='The controller node runs too.')]
Autoware = Annotated[bool, typer.Option('--autoware', help='The node for Autoware runs too.')]


def _options(graph: str, given: Options) -> Options:
    """The options of a graph with every recorder; a bad one is a usage error."""
    from dataclasses import replace

    one_of('graph', graph, tuple(GRAPHS))
    one_of('objects', given.objects, ('none', 'ground_truth'))
    one_of('controller', given.controller, ('', *CONTROLLERS))
    bag = '' if graph == 'replay' else 'drive.mcap'
    return replace(given, record='recording', bag_out=bag, incidents='incidents')


def _policy(graph: str, given: Options) -> str:
    from alpamayo_ros.security.policy import policy

    try:
        return policy(graph, _options(graph, given))
    except (ValueError, FileNotFoundError, KeyError) as error:
        raise typer.BadParameter(' '.join(str(error).split())) from None


@app.command('policy')
def write_policy(
    graph: Graph = 'vehicle', rig: Rig = 'sim', topics: Topics = '', shadow: Shadow = False,
    lockstep: Lockstep = False, objects: Objects = 'none', controller: Controller = '',
    autoware: Autoware = False,
) -> None:  # fmt: skip
    """Print policy.xml: an enclave for each process of the graph, with exact names."""
    given = Options(
        rig=rig, topics=topics, shadow=shadow, lockstep=lockstep, objects=objects,
        controller=controller, autoware=autoware,
    )  # fmt: skip
    typer.echo(_policy(graph, given), nl=False)


@app.command()
def keystore(
    folder: Path, graph: Graph = 'vehicle', rig: Rig = 'sim', topics: Topics = '',
    shadow: Shadow = False, lockstep: Lockstep = False, objects: Objects = 'none',
    controller: Controller = '', autoware: Autoware = False,
) -> None:  # fmt: skip
    """Make keys and permissions of every enclave in FOLDER; needs `ros2 security`."""
    given = Options(
        rig=rig, topics=topics, shadow=shadow, lockstep=lockstep, objects=objects,
        controller=controller, autoware=autoware,
    )  # fmt: skip
    text = _policy(graph, given)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / POLICY).write_text(text, encoding='utf-8')
    except OSError as error:
        raise typer.BadParameter(f'{folder} cannot be written: {error.strerror}') from None
    words = ['ros2', 'security', 'generate_artifacts', '-k', str(folder)]
    words += ['-p', str(folder / POLICY)]
    if shutil.which('ros2') is None:
        said = f'{folder / POLICY} is written; ros2 security is not installed here.'
        typer.echo(
            f'{said} On a machine with a ROS 2 distribution type: {" ".join(words)}', err=True
        )
        raise typer.Exit(Status.ENVIRONMENT)
    status = subprocess.run(words, check=False).returncode
    if status:
        typer.echo(f'alpamayo: {" ".join(words)} ended with status {status}', err=True)
        raise typer.Exit(Status.ENVIRONMENT)
    typer.echo(f'{folder} is a keystore; type: export ROS_SECURITY_KEYSTORE={folder.resolve()}')


@app.command()
def check(graph: Graph = 'vehicle') -> None:
    """Say whether the graph may start secured here, and what it lacks; 1 where it may not."""
    from alpamayo_ros.security.enforcement import refusals

    one_of('graph', graph, tuple(GRAPHS))
    nodes = GRAPHS[graph](Options()).nodes
    wrong = refusals((node.enclave for node in nodes), os.environ)
    with whoever_reads():
        for line in wrong:
            typer.echo(line)
    if wrong:
        raise typer.Exit(Status.FAIL)
    typer.echo('every node has its enclave and nothing starts without it')
