"""``alpamayo view``: a recorded drive, a bag, or the running graph, in a browser and offline."""

from __future__ import annotations

import signal
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alpamayo_ros.statuses import Status

if TYPE_CHECKING:
    from alpamayo_ros.recording.recording import Recording

PORT = 9090


def app(
    source: Annotated[
        Path | None,
        typer.Argument(help='Folder of a recording or replay, a bag, or what --save wrote.'),
    ] = None,
    live: Annotated[bool, typer.Option('--live', help='Show the running graph.')] = False,
    save: Annotated[
        Path | None, typer.Option(help='Write this .rrd file instead of opening a page.')
    ] = None,
    port: Annotated[
        int, typer.Option(min=1024, max=65434, help='Page; the data take the next one.')
    ] = PORT,
    browser: Annotated[
        bool, typer.Option('--browser/--no-browser', help='Open the page in a browser.')
    ] = True,
    rig: Annotated[
        str,
        typer.Option(help='Rig of a bag or of --live; default: BAG.rig.yaml beside it, else sim.'),
    ] = '',
    topics: Annotated[
        str, typer.Option(help='--live: YAML file, topic of this package to that of the vehicle.')
    ] = '',
    install: Annotated[
        bool, typer.Option('--install', help='Install the viewer (225 MB), once.')
    ] = False,
) -> None:
    """Show the cameras, the plan and its candidates from above, words, speed and ages.

    The page is served on this machine only and needs no internet.  Ctrl-C ends it.

    Example: alpamayo view out/replay
    """
    from alpamayo_ros.viewer import packages
    from alpamayo_ros.viewer.server import PortError

    if install:
        raise typer.Exit(packages.install())
    if live == (source is not None):
        raise typer.BadParameter('name a folder or a bag, or --live; for example out/replay')
    _check_save(save)
    if topics and not live:
        raise typer.BadParameter(
            '--topics is for --live: a bag is mapped by alpamayo replay --map'
        )
    try:
        if live:
            raise typer.Exit(_live(save, port, browser, rig or 'sim', topics))
        assert source is not None
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does
        _show(source, save, port, browser, rig)
    except (packages.MissingError, PortError) as error:
        typer.echo(f'alpamayo view: {error}', err=True)
        raise typer.Exit(Status.ENVIRONMENT) from error


def _check_save(save: Path | None) -> None:
    if save is not None and save.suffix != '.rrd':
        raise typer.BadParameter(f'--save writes an .rrd file, not {save.name!r}')


def _show(source: Path, save: Path | None, port: int, browser: bool, rig: str) -> None:
    """A recording to the page, until Ctrl-C, or into a file."""
    from alpamayo_ros.cli.working import working
    from alpamayo_ros.preflight import check_bag
    from alpamayo_ros.viewer import packages, show
    from alpamayo_ros.viewer.server import Server

    if source.suffix == '.rrd':
        if save is not None or rig:
            raise typer.BadParameter(f'{source.name} is shown as it is, without --save and --rig')
        _show_file(source, port, browser)
        return
    if not source.is_dir():
        check_bag(source)
    rerun = packages.load()
    with ExitStack() as open_:
        recording = _recording(source, rig, open_)
        if save is not None:
            with working(f'writing {save.name}') as tick:
                try:
                    show.save(recording, rerun, save, tick)
                except RuntimeError as error:  # the viewer's own word for what the system refused
                    typer.echo(f'alpamayo view: {save} cannot be written: {error}', err=True)
                    raise typer.Exit(Status.ENVIRONMENT) from error
            typer.echo(f'{save}   open it: alpamayo view {save}')
            return
        server = open_.enter_context(Server(packages.binary(), port))
        stream = show.new_stream(rerun)
        stream.connect_grpc(server.data_url)
        announce(server.page_url, browser)
        with working('sending the drive') as tick:
            show.tell(recording, rerun, stream, tick)
        _until_interrupted()
        stream.disconnect()


def _show_file(file: Path, port: int, browser: bool) -> None:
    """What --save wrote."""
    from alpamayo_ros.viewer import packages
    from alpamayo_ros.viewer.server import Server

    if not file.is_file():
        raise typer.BadParameter(f'{file} does not exist; alpamayo view FOLDER --save writes it')
    with Server(packages.binary(), port, file=file) as server:
        announce(server.page_url, browser)
        _until_interrupted()


def announce(url: str, browser: bool) -> None:
    """Say where the page is, and open it."""
    from alpamayo_ros.viewer.show import open_browser

    typer.echo(f'{url}\nopen this in a browser of this machine; Ctrl-C ends it')
    if browser:
        open_browser(url)


def _until_interrupted() -> None:
    """Ctrl-C or SIGTERM."""
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        typer.echo('', err=True)


def _recording(source: Path, rig: str, open_: ExitStack) -> Recording:
    """The recording in a folder, of a replay's folder, or made of a bag."""
    from alpamayo_ros.recording.recording import EVENTS, Recording
    from alpamayo_ros.reports.plan_bag import NAME

    if source.name == NAME and (source.parent / 'recording').is_dir():
        source = source.parent
    for folder in (source, source / 'recording'):
        if (folder / EVENTS).is_file():
            if rig:
                raise typer.BadParameter(
                    f'--rig is for a bag; {folder} has the rig it was made of'
                )
            return Recording(folder)
    if source.is_dir() and not (source / 'metadata.yaml').is_file():
        raise typer.BadParameter(
            f'{source} holds neither {EVENTS} (a recording), recording/ (of alpamayo replay '
            '--out) nor metadata.yaml (a rosbag2 folder)'
        )
    return Recording(_of_bag(source, rig, open_))


def _of_bag(bag: Path, rig: str, open_: ExitStack) -> Path:
    """What a replay without a model makes of a bag, in a folder that goes away."""
    from alpamayo_ros.cli.working import working
    from alpamayo_ros.preflight import check_bag
    from alpamayo_ros.recording.recording import Recording
    from alpamayo_ros.replay.options import Options
    from alpamayo_ros.replay.run import ReplayError, run

    check_bag(bag)
    folder = Path(open_.enter_context(tempfile.TemporaryDirectory(prefix='alpamayo_view_')))
    typer.echo('a bag holds no plans: reading it without a model (alpamayo replay makes plans)')
    bad = (ReplayError, ValueError)
    with working(f'reading {bag.name}', bad) as tick:
        options = Options(rig=rig, runtime='', incomplete=True)
        run(bag, folder, options, lambda p: tick(p.done_s / max(p.total_s, 1e-3)))
    recorded = Recording(folder / 'recording')
    if not (recorded.cameras or len(recorded.ego)):
        text = f'{bag} holds neither pictures nor odometry; alpamayo data check {bag} lists it'
        typer.echo(f'alpamayo view: {text}', err=True)
        raise typer.Exit(Status.NOT_EVALUABLE)
    return folder / 'recording'


def _live(save: Path | None, port: int, browser: bool, rig: str, topics: str) -> int:
    """The node ``viewer`` as a process of its own, until Ctrl-C."""
    from alpamayo_ros.bringup import viewer
    from alpamayo_ros.cli.operating.every_line import EveryLine
    from alpamayo_ros.cli.operating.supervisor import Supervisor
    from alpamayo_ros.environment import check_domain
    from alpamayo_ros.profile import load_profile
    from alpamayo_ros.security.topic_names import check_topic_map
    from alpamayo_ros.sensing.rig import load_rig
    from alpamayo_ros.viewer import packages
    from alpamayo_ros.viewer.server import check_ports

    packages.binary()  # say what is missing before a process is started
    check_domain()
    check_topic_map(topics, load_rig(rig), load_profile('nano'))
    if save is None:
        check_ports(port)
    graph = viewer(rig, topics, port, browser, str(save or ''))
    return Supervisor(graph, EveryLine()).run()
