"""``alpamayo bench sync``: what a set of pictures costs, and whether every timestep gives one."""

from __future__ import annotations

import json
import random
import statistics
import time
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from alpamayo_ros.cli.choices import profile_of
from alpamayo_ros.cli.common.refusing import whoever_reads
from alpamayo_ros.cli.measuring import sync_grid
from alpamayo_ros.cli.model import ProfileOption
from alpamayo_ros.limits import load_limits
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing.synchronisation.sync import CameraSync
from alpamayo_ros.sensing.synchronisation.synced_set import SyncCamera, SyncedSet
from alpamayo_ros.statuses import Status
from alpamayo_ros.units import MS, NS

LIMIT_US = 300.0  # docs/design.md, "Synchronisation"
TRANSPORT_NS = 30 * MS
RATE_HZ, DROPS, PROFILE = 10.0, 0.02, 'nano'  # where nothing else is asked for


@dataclass(frozen=True, slots=True)
class SyncReport:
    """``lost``: timesteps that gave no set.  Times are CPU time of this process."""

    cameras: int
    rate_hz: float
    drops: float
    seed: int
    timesteps: int
    sets: int
    lost: int
    held: int
    max_skew_ms: float
    frames: int
    set_us_median: float
    set_us_p99: float
    push_us_mean: float
    limit_us: float
    ok: bool


def measure_sync(
    profile: ModelProfile, timesteps: int, rate_hz: float, drops: float, seed: int
) -> SyncReport:
    """Feed jittered frames of the profile's cameras with random drops, and time every call.

    The cost of a set is all CPU time between one set and the next.
    """
    period_ns = round(NS / rate_hz)
    names = [c.name for c in profile.cameras]
    cameras = [SyncCamera(c.name, period_ns, 'hold', c.mandatory) for c in profile.cameras]
    sync = CameraSync(cameras, load_limits())
    rng = random.Random(seed)
    costs: list[int] = []
    found: list[SyncedSet] = []
    spent = frames = 0
    for step in range(timesteps):
        due_ns = NS + step * period_ns
        events = [(due_ns + TRANSPORT_NS + rng.randrange(20 * MS), name) for name in names]
        calls = [e for e in sorted(events) if rng.random() >= drops]
        for arrival_ns, name in [*calls, (due_ns + TRANSPORT_NS + period_ns * 2 // 3, '')]:
            stamp_ns = due_ns + rng.randint(-2 * MS, 2 * MS)
            start = time.process_time_ns()
            ready = sync.push(name, stamp_ns, None, arrival_ns) if name else sync.poll(arrival_ns)
            spent += time.process_time_ns() - start
            frames += bool(name)
            for result in ready:
                if isinstance(result, SyncedSet):
                    found.append(result)
                    costs.append(spent)
                    spent = 0
    hit = {round((s.t0_ns - NS) / period_ns) for s in found}
    median = statistics.median(costs) / 1e3 if costs else float('inf')
    lost = timesteps - len(hit)
    return SyncReport(
        cameras=len(names),
        rate_hz=rate_hz,
        drops=drops,
        seed=seed,
        timesteps=timesteps,
        sets=len(found),
        lost=lost,
        held=sum(any(s.held) for s in found),
        max_skew_ms=max((s.skew_ns for s in found), default=0) / MS,
        frames=frames,
        set_us_median=median,
        set_us_p99=sorted(costs)[int(0.99 * len(costs))] / 1e3 if costs else float('inf'),
        push_us_mean=sum(costs) / max(frames, 1) / 1e3,
        limit_us=LIMIT_US,
        ok=lost == 0 and median <= LIMIT_US,
    )


def sync_command(
    timesteps: Annotated[
        int | None,
        typer.Option(min=40, help='Timesteps of the cameras; 3000, with --grid 300 a mixture.'),
    ] = None,
    rate_hz: Annotated[float, typer.Option(min=5, max=10, help='Frames a second.')] = RATE_HZ,
    drops: Annotated[float, typer.Option(min=0, max=1, help='Share of frames lost.')] = DROPS,
    seed: Annotated[int, typer.Option(help='Seed of jitter and losses.')] = 0,
    profile: ProfileOption = PROFILE,
    grid: Annotated[
        bool,
        typer.Option(
            '--grid',
            help='Mixtures of rates, losses, jitter and a dying camera, beside the stock filter.',
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option('--json', help='Print JSON.')] = False,
) -> None:
    """Camera synchronisation: CPU time a set, timesteps lost; exit 1 over 300 us or on a loss.

    --grid: six cameras of its own, a reference at one rate and five at another.
    """
    if grid and (rate_hz, drops, profile) != (RATE_HZ, DROPS, PROFILE):
        raise typer.BadParameter(
            '--grid has rates, losses and cameras of its own: leave out --rate-hz, --drops and '
            '--profile'
        )
    if grid:
        reports = sync_grid.measure_grid((timesteps or 300) / 10, seed)
        with whoever_reads():
            if as_json:
                typer.echo(json.dumps(sync_grid.as_record(reports, LIMIT_US)))
            else:
                sync_grid.show(reports, LIMIT_US)
        good = sync_grid.good(reports, LIMIT_US)
        raise typer.Exit(Status.PASS if good else Status.FAIL)
    report = measure_sync(profile_of(profile), timesteps or 3000, rate_hz, drops, seed)
    with whoever_reads():
        typer.echo(json.dumps(asdict(report)) if as_json else _sentence(report))
    raise typer.Exit(Status.PASS if report.ok else Status.FAIL)


def _sentence(report: SyncReport) -> str:
    return (
        f'{report.cameras} cameras at {report.rate_hz:g} Hz, {report.drops:.0%} drops, '
        f'seed {report.seed}: {report.sets} sets of {report.timesteps} timesteps, '
        f'{report.lost} lost, {report.held} with a held frame\n'
        f'CPU a set: median {report.set_us_median:.0f} us, p99 {report.set_us_p99:.0f} us '
        f'(limit {LIMIT_US:.0f}); a push {report.push_us_mean:.1f} us: '
        f'{"ok" if report.ok else "NOT ok"}'
    )
