"""Questions to a running graph: ``alpamayo arm``, ``cap``, ``incident``, ``status`` and others."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from typing import Annotated, Any

import typer

from alpamayo_ros.bringup import environment
from alpamayo_ros.faults import Fault
from alpamayo_ros.graph_spec import not_a_topic
from alpamayo_ros.sensing.navigation import MAX_PROMPT, canonical, clean_prompt
from alpamayo_ros.sensing.route import from_text

PatienceOption = Annotated[
    float, typer.Option('--patience', min=0.5, max=600.0, help='How long to wait for answers [s].')
]
TopicArgument = Annotated[
    str, typer.Argument(help='health is /alpamayo/health; with a leading / any topic.')
]
PATIENCE_S = 10.0
INSTRUCTIONS = (
    'expected such as: turn left in 80 m onto Elm Street, go straight, merge right, '
    'take the second exit, make a U-turn, stop, follow the road'
)


def ask(verb: str, patience_s: float, **details: Any) -> None:
    """Become the process that asks: ROS and signals are its own, and its status is ours."""
    from alpamayo_ros.environment import check_domain

    check_domain()
    if details.get('topic') == '':
        raise typer.BadParameter('TOPIC is empty; alpamayo topics lists those there are')
    if wrong := not_a_topic(details.get('topic', 'health')):
        raise typer.BadParameter(f'{wrong}; alpamayo topics lists those there are')
    question = json.dumps({'verb': verb, 'patience_s': patience_s, **details})
    sys.stdout.flush()
    command = [sys.executable, '-m', 'alpamayo_ros.nodes.operating', question]
    os.execve(sys.executable, command, {**dict(environment()), **os.environ})  # noqa: S606


def arm(patience: PatienceOption = PATIENCE_S) -> None:
    """Allow driving: READY becomes ACTIVE.  Exit 0 when armed, 1 when refused, with the reason.

    Example: alpamayo arm
    """
    ask('arm', patience)


def disarm(patience: PatienceOption = PATIENCE_S) -> None:
    """Take the permission back: nothing is published any more, the controller stops.

    Exit 0 when disarmed, 1 in FAULT, where nothing is driven anyhow.

    Example: alpamayo disarm
    """
    ask('disarm', patience)


def rearm(patience: PatienceOption = PATIENCE_S) -> None:
    """Allow driving on after a stop (FALLBACK) once the inputs are good again.

    Exit 0 when allowed, 1 where there is no stop to leave.

    Example: alpamayo rearm
    """
    ask('rearm', patience)


def cap(
    speed: Annotated[
        float | None, typer.Option(min=0.0, max=60.0, help='At most so fast [m/s]; 0: stop.')
    ] = None,
    acceleration: Annotated[
        float | None, typer.Option(min=0.1, max=10.0, help='Speeding up at most so hard [m/s2].')
    ] = None,
    patience: PatienceOption = PATIENCE_S,
) -> None:
    """Lower what the driver may plan with; a cap never raises what profile and limits allow.

    It holds until another comes or the trajectory node ends; alpamayo up --speed-cap outlives
    that.  Exit 1 where the driver does not take it.

    Example: alpamayo cap --speed 5
    """
    if speed is None and acceleration is None:
        raise typer.BadParameter('name --speed, --acceleration or both; for example --speed 5')
    ask('cap', patience, speed_mps=speed, acceleration_mps2=acceleration)


def navigate(
    instruction: Annotated[
        str, typer.Argument(help='turn left in 80 m, take the second exit, merge right, ...')
    ],
    patience: PatienceOption = PATIENCE_S,
) -> None:
    """Tell the running driver where to go; the latest instruction wins, a route's too.

    Exit 0 once the planner is told, in the wording that is printed; 1 where it is not.

    Example: alpamayo navigate 'turn left in 80 m'
    """
    understood = from_text(instruction)
    if isinstance(understood, Fault):
        raise typer.BadParameter(f'{understood.message}; {INSTRUCTIONS}')
    text, fault = canonical(understood)
    if fault is not None:
        raise typer.BadParameter(f'{fault.message}; {INSTRUCTIONS}')
    plain, _ = canonical(replace(understood, street=''))  # the car's map may not have the street
    ask('navigate', patience, text=instruction, wanted=[text, plain])


def prompt(
    wish: Annotated[str, typer.Argument(help="keep a 3 second gap, ...; '' takes it back.")],
    patience: PatienceOption = PATIENCE_S,
) -> None:
    """Tell the running driver how to drive; no limit ever follows from it, nor is one loosened.

    Exit 0 once the planner is told, 1 where it is not.

    Example: alpamayo prompt 'drive more conservatively'
    """
    text, fault = clean_prompt(wish)
    if fault is not None:
        raise typer.BadParameter(f'{len(wish)} characters; expected at most {MAX_PROMPT}')
    ask('prompt', patience, text=text)


def incident(patience: PatienceOption = PATIENCE_S) -> None:
    """Write what the incident recorder holds now (alpamayo up ... --incidents FOLDER) into a file.

    Exit 0 when it is written, and named; 1 where it could not be; 6 where nobody records.

    Example: alpamayo incident
    """
    ask('incident', patience)


def status(
    watch: Annotated[
        bool, typer.Option('--watch', help='A line a second and at each change, until Ctrl-C.')
    ] = False,
    as_json: Annotated[bool, typer.Option('--json', help='Print JSON.')] = False,
    patience: PatienceOption = PATIENCE_S,
) -> None:
    """Show the driver's state: plan, speed cap, cycle, views, model, words, faults, what to do.

    Exit 0 while the driver is whole, 1 in FALLBACK or FAULT, 6 where nobody answers.

    Example: alpamayo status --watch
    """
    ask('status', patience, watch=watch, as_json=as_json)


def topics(
    every: Annotated[
        bool, typer.Option('--all', help='Of every node, not of this graph.')
    ] = False,
    patience: PatienceOption = PATIENCE_S,
) -> None:
    """List the topics of the running graph with type, publishers and subscriptions.

    Example: alpamayo topics
    """
    ask('topics', patience, every=every)


def echo(
    topic: TopicArgument,
    count: Annotated[int, typer.Option(min=0, help='So many messages; 0: until Ctrl-C.')] = 0,
    full: Annotated[bool, typer.Option('--full', help='Do not cut long arrays.')] = False,
    patience: PatienceOption = PATIENCE_S,
) -> None:
    """Print the messages of a topic as YAML.

    Example: alpamayo echo reasoning --count 1
    """
    ask('echo', patience, topic=topic, count=count, full=full)


def hz(
    topic: TopicArgument,
    seconds: Annotated[float, typer.Option(min=0.0, help='0: until Ctrl-C.')] = 0.0,
    window: Annotated[float, typer.Option(min=1.0, max=600.0, help='Averaged over [s].')] = 5.0,
    patience: PatienceOption = PATIENCE_S,
) -> None:
    """Measure how often a topic comes: rate, spread of the intervals, traffic; a line a second.

    Exit 1 when nothing came.

    Example: alpamayo hz /alpamayo/trajectory --seconds 10
    """
    ask('hz', patience, topic=topic, seconds=seconds, window_s=window)
