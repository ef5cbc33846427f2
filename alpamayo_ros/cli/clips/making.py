"""``alpamayo data clips``: clips made of drives and of recordings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alpamayo_ros.cli.model import ProfileOption
from alpamayo_ros.cli.working import working
from alpamayo_ros.statuses import ConfigError, Status
from alpamayo_ros.units import counted

if TYPE_CHECKING:
    from alpamayo_ros.profile import ModelProfile
    from alpamayo_ros.training.clips.clip import Clip, ClipSource
    from alpamayo_ros.training.clips.storage import Meta


class Unreadable(str):
    """Why a clip among many has none; the others are made."""


SOURCE = typer.Argument(
    help='Recordings (.mcap), folders in nuScenes format, of PhysicalAI-AV, of clips; or '
    'NAME:PATH with the name of a source (docs/clips.md).'
)


def clips(
    out: Annotated[Path, typer.Option(help='Folder for the clips; one folder each.')],
    sources: Annotated[list[str] | None, SOURCE] = None,
    scenario: Annotated[
        list[str] | None, typer.Option(help='A scenario that the expert drives; may be repeated.')
    ] = None,
    seeds: Annotated[str, typer.Option(help='Of the scenarios: 10000:10010, 7 or 1,5,9.')] = '',
    seconds: Annotated[float, typer.Option(min=8, max=30, help='Length of a clip at most.')] = 20,
    words: Annotated[
        str | None,
        typer.Option(
            help="Grammar of the expert's words: phrases_v2 (nano's, default) or phrases_v1.",
            show_default=False,
        ),
    ] = None,
    prompt: Annotated[str, typer.Option(help='What the expert is asked for.')] = '',
    rig: Annotated[Path | None, typer.Option(help='Rig of a recording that has none.')] = None,
    maps: Annotated[
        list[str] | None, typer.Option('--map', help='recorded:=ours, as in alpamayo replay.')
    ] = None,
    licence: Annotated[str, typer.Option(help='Of the recordings; the clips keep it.')] = '',
    profile: ProfileOption = 'nano',
) -> None:
    """Make clips of 8 to 30 s: of drives of the expert, or of recordings with odometry.

    Finished clips are left as they are, so the same command goes on where it
    stopped. Six cameras and notes at 10 Hz: motion, words and truth of the simulator.
    Exit 5 where clips of a data set cannot be read; the others are made.

    Example: alpamayo data clips --scenario stopped_car --seeds 10000:10004 --out clips
    """
    from alpamayo_ros.cli.choices import one_of, profile_of
    from alpamayo_ros.cli.common.alone import alone
    from alpamayo_ros.preflight import check_folder

    of_recordings = {'--rig': rig, '--map': maps, '--licence': licence}
    own = {'--seeds': seeds, '--prompt': prompt, '--words': words}
    if bool(sources) == bool(scenario):
        raise typer.BadParameter('name recordings, or scenarios with --scenario and --seeds')
    if scenario and not seeds:
        raise typer.BadParameter('--scenario wants --seeds; 10000 and up train (docs/clips.md)')
    if scenario and (name := next((n for n, v in of_recordings.items() if v), '')):
        raise typer.BadParameter(f'{name} is for recordings, not for --scenario')
    if sources and (name := next((n for n, v in own.items() if v), '')):
        raise typer.BadParameter(f'{name} is for --scenario, not for recordings')
    spoken = words or 'phrases_v2'
    one_of('words', spoken, ('phrases_v1', 'phrases_v2'))
    _asked(prompt)
    chosen, counts = profile_of(profile), Counter[str]()
    check_folder(out)
    kept_on = 'finished clips are kept'
    with working('making clips', (ValueError, OSError), kept_on, out), alone(out):
        made = (
            _driven(scenario, seeds, seconds, spoken, prompt, out, chosen)
            if scenario
            else _cut(sources or [], rig, maps or [], seconds, licence, out, chosen)
        )
        for one in made:
            if isinstance(one, str):
                typer.echo(f'no clip: {one}', err=True)
                counts['unreadable' if isinstance(one, Unreadable) else 'left out'] += 1
            else:
                counts['made'] += 1
                typer.echo(
                    f'{out / one.name}: {one.seconds:.1f} s, {counted(one.instants, "instant")}'
                )
    others = ''.join(f', {counts[k]} {k}' for k in ('left out', 'unreadable') if counts[k])
    typer.echo(f'{counted(counts["made"], "clip")} in {out}{others}')
    if counts['unreadable']:
        raise typer.Exit(Status.DAMAGED)
    raise typer.Exit(Status.PASS if counts['made'] else Status.NOT_EVALUABLE)


def _asked(prompt: str) -> None:
    from alpamayo_ros.simulation.driving_wish import read_prompt

    unknown = read_prompt(prompt).unknown
    if unknown:
        known = 'config/prompts.yaml lists what it obeys'
        raise typer.BadParameter(f'--prompt: the expert does not understand {unknown!r}; {known}')


def _driven(
    scenarios: list[str],
    seeds: str,
    seconds: float,
    words: str,
    prompt: str,
    out: Path,
    profile: ModelProfile,
) -> Iterator[Meta | str]:
    from alpamayo_ros.cli.sim import parse_seeds
    from alpamayo_ros.simulation.scenario import load_scenario
    from alpamayo_ros.training.clips import storage
    from alpamayo_ros.training.clips.drives import Drive, drive_clip
    from alpamayo_ros.training.grammar_file import load_spec

    spec, names = load_spec(words), {name: load_scenario(name).name for name in scenarios}
    for name in scenarios:
        for seed in parse_seeds(seeds):
            drive = Drive(name, seed, seconds, words, prompt)
            folder = out / storage.checked_name(f'{names[name]}_{seed}')
            if there := storage.finished(folder, drive.words):
                yield there
                continue
            made = drive_clip(drive, folder, spec, profile)
            yield f'{folder.name}: {made}' if isinstance(made, str) else made


def _cut(
    sources: list[str],
    rig: Path | None,
    maps: list[str],
    seconds: float,
    licence: str,
    out: Path,
    profile: ModelProfile,
) -> Iterator[Meta | str]:
    from alpamayo_ros.training.clips.cutting import Cut, cut_clip
    from alpamayo_ros.training.clips.recorded_clip import StoredClips

    for text in sources:
        cut = Cut(seconds, f'{text} in parts of {seconds:g} s', licence)
        source = opened(text, rig, maps, profile)
        if isinstance(source, StoredClips) and out.resolve().is_relative_to(source.root.resolve()):
            raise ConfigError(f'--out {out} lies in {text}, of which it is made; choose another')
        for clip in source.clips():
            try:
                yield from cut_clip(clip, out, cut, profile)
            except (ValueError, FileNotFoundError) as error:
                yield why_not(clip, source, error)
        if left := passed_over([source]):
            typer.echo(f'{text}: {left}', err=True)


def why_not(clip: Clip, source: ClipSource, error: Exception) -> Unreadable:
    """Why a clip is left out; raises what ends the command: another clip would not be better."""
    from alpamayo_ros.training.clips.recorded_clip import RecordedClips

    if isinstance(error, ConfigError) or isinstance(source, RecordedClips):
        raise error
    said = str(error)
    return Unreadable(said if said.startswith(f'{clip.name}:') else f'{clip.name}: {said}')


def opened(text: str, rig: Path | None, maps: list[str], profile: ModelProfile) -> ClipSource:
    """The source of that name or path, read for ``profile``."""
    from alpamayo_ros.replay.topics import parse_maps
    from alpamayo_ros.training.clips.nuscenes_clips import NuscenesClips
    from alpamayo_ros.training.clips.recorded_clip import RecordedClips, StoredClips
    from alpamayo_ros.training.clips.sources import open_source

    found = open_source(text)
    if isinstance(found, RecordedClips | StoredClips | NuscenesClips):
        found.profile = profile
    if rig is None and not maps:
        return found
    if not isinstance(found, RecordedClips):
        raise typer.BadParameter(f'--rig and --map are for recordings; {text} is none')
    return RecordedClips(found.path, rig, parse_maps(maps), profile)


def passed_over(sources: Iterable[ClipSource]) -> str:
    """How many stored clips were not taken for their verdicts; '' for none."""
    from alpamayo_ros.training.clips.recorded_clip import StoredClips

    stored = [one.passed_over for one in sources if isinstance(one, StoredClips)]
    counts = sum(stored, Counter[str]())
    said = ', '.join(f'{count} {name}' for name, count in sorted(counts.items()))
    return f'left out by their verdicts: {said}' if said else ''
