"""``alpamayo egodriver``: this package as the driver of an AlpaSim rollout."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alpamayo_ros.cli.choices import RuntimeOption, any_profile_of, runtime_of
from alpamayo_ros.runtime import registry
from alpamayo_ros.runtime.registry import status_of
from alpamayo_ros.units import counted

if TYPE_CHECKING:
    from alpamayo_ros.bridges.alpasim.session import Tally
    from alpamayo_ros.profile import ModelProfile
    from alpamayo_ros.runtime.process.child import WorkerSpec
    from alpamayo_ros.safety.config import PlanConfig

PORT = 50051  # AlpaSim's for drivers; NVIDIA's model server has the same
HERE = '127.0.0.1'
STARTUP_S = 60.0


def app(
    profile: Annotated[str, typer.Option(help='A profile by name, or a .yaml path.')] = 'nano',
    runtime: RuntimeOption = registry.DEFAULT,
    model: Annotated[
        Path | None, typer.Option(help='Folder of the model; default: the one that ships.')
    ] = None,
    rig: Annotated[
        str, typer.Option(help="A rig by name, or a .yaml path: the vehicle's dimensions.")
    ] = 'sim',
    host: Annotated[
        str, typer.Option(help='Address to listen on; 0.0.0.0 lets other machines drive it.')
    ] = HERE,
    port: Annotated[int, typer.Option(min=1, max=65535, help='Port to listen on.')] = PORT,
    camera: Annotated[
        list[str] | None,
        typer.Option(help="CAMERA=LOGICAL_ID, where AlpaSim's name is not camera_CAMERA."),
    ] = None,
) -> None:
    """Answer AlpaSim's egodriver calls with checked plans, until Ctrl-C.

    AlpaSim is told where: driver_source=external_static, and the address under
    wizard.external_services.driver.

    Example: alpamayo egodriver --port 50051 --camera front=camera_front_wide_120fov
    """
    from alpamayo_ros.bridges.alpasim.listening import check_listening, target
    from alpamayo_ros.bridges.alpasim.model import ModelProcess
    from alpamayo_ros.bridges.alpasim.server import Driver, load_grpc, serve
    from alpamayo_ros.limits import load_limits
    from alpamayo_ros.safety.config import PlanConfig
    from alpamayo_ros.sensing.rig import load_rig

    loaded = any_profile_of(profile)
    chosen = camera_choices(camera or [], loaded)
    load_grpc()
    check_listening(host, port)  # before a model is loaded
    config = PlanConfig(loaded, load_limits(), load_rig(rig).vehicle)
    kind = registry.of_profile(runtime_of(runtime), loaded)
    process = ModelProcess(_spec(config, kind, model), lambda text: typer.echo(text, err=True))
    try:
        failed = process.wait()
        if failed is not None:
            typer.echo(str(failed), err=True)
            raise typer.Exit(status_of(failed))
        server, bound = serve(Driver(config, process, chosen, _told), host, port)
        if host not in (HERE, 'localhost', '::1', '[::1]'):
            typer.echo(f'{host}: anybody who reaches this port can drive it and read it', err=True)
        typer.echo(f'{loaded.name}, {kind}: listening on {target(host, bound)}; Ctrl-C ends it')
        _until_interrupted()
        server.stop(1.0).wait()
    finally:
        process.close()


def _spec(config: PlanConfig, runtime: str, folder: Path | None) -> WorkerSpec:
    from alpamayo_ros.bridges.alpasim.model import GUARD_S
    from alpamayo_ros.runtime.process.child import WorkerSpec

    least = config.profile.deadlines
    return WorkerSpec(
        profile=config.profile,
        limits=config.limits,
        period_s=config.period_s,
        startup_s=max(STARTUP_S, least.startup_s if least else 0.0),
        kind=runtime,
        folder=folder,
        guard_s=GUARD_S,
    )


def camera_choices(words: list[str], profile: ModelProfile) -> dict[str, str]:
    """Camera of the profile -> logical id; typer.BadParameter for what is no such pair."""
    known = [camera.name for camera in profile.cameras]
    found: dict[str, str] = {}
    for word in words:
        name, equals, logical = word.partition('=')
        if not equals or not logical or name not in known or name in found:
            there = ', '.join(known)
            raise typer.BadParameter(
                f'--camera {word!r}: expected CAMERA=LOGICAL_ID, each camera once; '
                f'{profile.name} has {there}'
            )
        if other := next((n for n, one in found.items() if one == logical), ''):
            raise typer.BadParameter(
                f'--camera {word!r}: {other} is {logical!r} already; expected a camera of its own'
            )
        found[name] = logical
    return found


def _told(uuid: str, tally: Tally) -> None:
    """A line when a rollout has been closed."""
    modes = ', '.join(f'{name} {count}' for name, count in tally.modes.most_common())
    faults = ', '.join(f'{name} {count}' for name, count in tally.faults.most_common())
    typer.echo(
        f'session {ascii(uuid)}: {counted(tally.drives, "drive")}, '
        f'{counted(tally.images, "image")}; '
        f'states {modes or "none"}; faults {faults or "none"}'
    )


def _until_interrupted() -> None:
    """Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        typer.echo('', err=True)
