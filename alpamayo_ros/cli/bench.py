"""``alpamayo bench``: measure stages of the data path on this machine."""

from __future__ import annotations

import json
import random
import statistics
import time
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from alpamayo_ros.cli.bench_replay import replay_command
from alpamayo_ros.cli.choices import profile_of
from alpamayo_ros.cli.model import ProfileOption
from alpamayo_ros.limits import load_limits
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.sensing.synchronisation.sync import CameraSync
from alpamayo_ros.sensing.synchronisation.synced_set import SyncCamera, SyncedSet
from alpamayo_ros.units import MS, NS

LIMIT_US = 300.0  # docs/design.md, "Synchronisation"
TRANSPORT_NS = 30 * MS

app = typer.Typer(no_args_is_help=True, help='Measure stages on this machine.')


@app.callback()
def bench() -> None:
    """Measure stages on this machine."""


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


@app.command('sync')
def sync_command(
    timesteps: Annotated[int, typer.Option(min=10, help='Timesteps of the cameras.')] = 3000,
    rate_hz: Annotated[float, typer.Option(min=5, max=10, help='Frames a second.')] = 10.0,
    drops: Annotated[float, typer.Option(min=0, max=1, help='Share of frames lost.')] = 0.02,
    seed: Annotated[int, typer.Option(help='Seed of jitter and losses.')] = 0,
    profile: ProfileOption = 'nano',
    as_json: Annotated[bool, typer.Option('--json', help='Print JSON.')] = False,
) -> None:
    """Camera synchronisation: CPU time a set, timesteps lost; exit 1 over 300 us or on a loss."""
    report = measure_sync(profile_of(profile), timesteps, rate_hz, drops, seed)
    if as_json:
        typer.echo(json.dumps(asdict(report)))
    else:
        typer.echo(
            f'{report.cameras} cameras at {rate_hz:g} Hz, {drops:.0%} drops, seed {seed}: '
            f'{report.sets} sets of {timesteps} timesteps, {report.lost} lost, '
            f'{report.held} with a held frame\n'
            f'CPU a set: median {report.set_us_median:.0f} us, p99 {report.set_us_p99:.0f} us '
            f'(limit {LIMIT_US:.0f}); a push {report.push_us_mean:.1f} us: '
            f'{"ok" if report.ok else "NOT ok"}'
        )
    raise typer.Exit(0 if report.ok else 1)


app.command('replay')(replay_command)
