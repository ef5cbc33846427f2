"""``alpamayo``: the command line.

Subcommands live in modules of their own and are imported when called.

``alpamayo --help`` therefore reads the table below and nothing else; a name whose module is not
part of this installation is not listed.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import sys
from functools import partial
from typing import Annotated, Any

import typer
import typer.core
import typer.main
from rich.markup import escape

from alpamayo_ros import __version__, environment
from alpamayo_ros.cli.common.refusing import answered
from alpamayo_ros.config_file import unknown

SUBCOMMANDS = {  # name: (panel of the help, one sentence)
    'demo': ('Drive', 'Drive four scenarios over real ROS 2 and write out/demo/report.html.'),
    'up': ('Drive', 'Start a graph of nodes: vehicle, simulator or replay.'),
    'sim': ('Drive', 'Drive scenarios in the simulator without ROS and score them.'),
    'egodriver': ('Drive', 'Drive in AlpaSim: answer its egodriver calls with checked plans.'),
    'replay': ('Drive', 'Plan along a recorded bag; metrics, plots and a verdict.'),
    'arm': ('Operate', 'Allow the running driver to drive; a person does this.'),
    'disarm': ('Operate', 'Take that permission back.'),
    'rearm': ('Operate', 'Allow driving on after a stop.'),
    'cap': ('Operate', 'Lower the speed and acceleration that it may plan with.'),
    'navigate': ('Operate', 'Tell the running driver where to go.'),
    'prompt': ('Operate', 'Tell it how a passenger would like it to drive.'),
    'incident': ('Operate', 'Write the last minute of the running graph into a file.'),
    'status': ('Operate', 'State, plan, speed cap, faults and words of the running driver.'),
    'topics': ('Operate', 'List the topics of the running graph.'),
    'echo': ('Operate', 'Print the messages of a topic.'),
    'hz': ('Operate', 'Measure how often a topic comes.'),
    'view': ('Inspect', 'Show a drive, a bag or the running graph in a browser, offline.'),
    'doctor': (
        'Inspect',
        'What is installed and in force here, with the remedy for each finding.',
    ),
    'rig': ('Inspect', 'Write the rig file of a recording, and check a rig.'),
    'bench': ('Inspect', 'Measure stages on this machine.'),
    'security': ('Inspect', 'Policy and keystore of SROS 2 for a graph, and what they lack.'),
    'model': ('Models', 'Show and verify a model: files, hashes, profile.'),
    'key': ('Models', 'Make the pair of keys that signs models.'),
    'export': ('Models', 'Write the ONNX graphs of trained weights.'),
    'engine': ('Models', 'Build, check and verify TensorRT engines of a model.'),
    'budget': ('Models', 'Which profile holds 10 Hz on which device, on paper.'),
    'data': ('Train', 'Convert recordings and generate training data.'),
    'train': ('Train', 'Train nano in stages; needs torch (./run test installs it).'),
}
ASKING = (
    'arm', 'disarm', 'rearm', 'cap', 'navigate', 'prompt', 'incident', 'status', 'topics', 'echo',
    'hz',
)  # fmt: skip
PLACES = {  # subcommands in a folder
    'budget': 'models.budget',
    'egodriver': 'operating.egodriver',
    'engine': 'models.engine',
    'key': 'models.key',
}
EPILOG = """Examples:

  alpamayo doctor                          is this machine ready?

  alpamayo up simulator --seed 3           the whole graph, driving

  alpamayo sim --scenario stopped_car --seeds 100:110   without ROS

Every subcommand explains itself: alpamayo up --help
"""


class LazyGroup(typer.core.TyperGroup):
    """A group whose subcommands are modules of ``alpamayo_ros.cli``, imported one at a time."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names whose module is installed, in the order of the table."""
        return [name for name in SUBCOMMANDS if _module(name)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The subcommand's sentence alone, for the help; nothing is imported."""
        if cmd_name not in SUBCOMMANDS or not _module(cmd_name):
            return None
        panel, sentence = SUBCOMMANDS[cmd_name]
        return typer.core.TyperCommand(cmd_name, help=sentence, rich_help_panel=panel)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The real subcommand, imported now because it is being called."""
        if args and args[0][:1] != '-' and not self.get_command(ctx, args[0]):
            ctx.fail(unknown('command', args[0], self.list_commands(ctx), 'alpamayo --help lists'))
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and _load(str(name)), rest

    def main(self, *words: Any, **options: Any) -> Any:
        """Run; what a person typed wrong is a sentence, and every end has its exit status."""
        alone = options.pop('standalone_mode', True)
        options |= {'standalone_mode': False}
        status = answered(partial(super().main, *words, **options))
        if alone:
            raise SystemExit(status)
        return status


def _module(name: str) -> str:
    """Module of the subcommand, or '' when this installation lacks it."""
    place = 'operating.asking' if name in ASKING else PLACES.get(name, name)
    module = f'alpamayo_ros.cli.{place}'
    return module if importlib.util.find_spec(module) else ''


def _load(name: str) -> Any:
    """Import the module and build its command from ``app``, or from the function of that name."""
    module = importlib.import_module(_module(name))
    app = getattr(module, name if name in ASKING else 'app')
    if isinstance(app, typer.Typer):
        callback = app.registered_callback
        if callback and not app.registered_commands and not app.registered_groups:
            app = (
                callback.callback
            )  # one command written as a callback: options may follow arguments
    if not isinstance(app, typer.Typer):
        single = typer.Typer(add_completion=False)
        single.command()(app)
        app = single
    command = typer.main.get_command(app)
    command.name = name
    _literal(command)
    return command


def _literal(command: Any) -> None:
    """A paragraph of the help is as wide as the terminal, not as its docstring's lines.

    Brackets in the help of options are units: ``[m/s]`` is no markup of a terminal.
    """
    if getattr(command, 'rich_markup_mode', None) == 'rich':
        command.help = '\n\n'.join(map(_flowing, (command.help or '').split('\n\n')))
        for option in command.params:
            if getattr(option, 'help', None):
                option.help = escape(option.help)
    for inner in getattr(command, 'commands', {}).values():
        _literal(inner)


def _flowing(paragraph: str) -> str:
    """One line of a paragraph; what is indented (commands) stays as it is."""
    return paragraph if paragraph[:1] == ' ' else ' '.join(paragraph.split())


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f'alpamayo_ros {__version__}')
        raise typer.Exit()


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    epilog=EPILOG,
    pretty_exceptions_enable=False,
    context_settings={'help_option_names': ['-h', '--help']},
)


@app.callback()
def alpamayo(
    version: Annotated[
        bool, typer.Option('--version', callback=_version, is_eager=True, help='Show the version.')
    ] = False,
) -> None:
    """Cameras in, a chain of causation and one checked trajectory out."""


def main() -> None:
    """Entry point of the console script: environment first, then the subcommand."""
    environment.prepare()
    for stream in (sys.stdout, sys.stderr):  # a locale or a file name may hold no UTF-8
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')
    app(prog_name='alpamayo')


if __name__ == '__main__':
    main()
