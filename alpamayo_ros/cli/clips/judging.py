"""``alpamayo data filter`` and ``alpamayo data review``: which clips are good enough to learn."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from alpamayo_ros.cli.common.refusing import whoever_reads
from alpamayo_ros.cli.working import working
from alpamayo_ros.statuses import ConfigError, Status
from alpamayo_ros.units import counted

Folders = Annotated[
    list[Path], typer.Argument(help='Clips, or folders with clips somewhere below.')
]
Bars = Annotated[
    Path | None, typer.Option(help='Other bars than config/clip_quality.yaml, the same keys.')
]


def filter_(
    folders: Folders,
    bars: Bars = None,
    as_json: Annotated[bool, typer.Option('--json', help='The counts as JSON.')] = False,
) -> None:
    """Hold the words of clips against truth and path: keep, escalate to a person, or drop.

    The verdict with its reasons goes into each clip's annotation; what a
    person decided (data review) stays. Exit 5 where a clip is damaged.

    Example: alpamayo data filter clips
    """
    from alpamayo_ros.training.clips.quality import filter_clips, load_bars

    found, limits = _find(folders), load_bars(bars)
    with working('filtering', kept='verdicts so far are kept') as moved:
        counts = filter_clips(found, limits, moved)
    with whoever_reads():
        _tell(counts, as_json)
    raise typer.Exit(Status.DAMAGED if counts['damaged'] else Status.PASS)


def _tell(counts: Mapping[str, object], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(counts, indent=1))
        return
    damaged, reasons = counts['damaged'], counts['reasons']
    assert isinstance(damaged, list) and isinstance(reasons, dict)
    flat = {k: v for k, v in counts.items() if k not in ('damaged', 'reasons')}
    flat |= {'damaged': len(damaged)} if damaged else {}
    for name, value in (*flat.items(), *reasons.items()):
        typer.echo(f'{name:28} {value}')
    for said in damaged:
        typer.echo(said, err=True)


def review(
    folders: Folders,
    out: Annotated[Path, typer.Option(help='Page to write (.html).')] = Path('review.html'),
    every: Annotated[
        float, typer.Option(min=0.1, max=60, help='Seconds between two instants.')
    ] = 2.0,
    verdict: Annotated[
        str, typer.Option(help='Only clips that are: keep, escalate, drop or unjudged.')
    ] = '',
    limit: Annotated[int, typer.Option(min=1, help='At most so many clips on the page.')] = 30,
    apply: Annotated[
        Path | None, typer.Option(help='Apply what the page saved (corrections.json) instead.')
    ] = None,
    bars: Bars = None,
) -> None:
    """Write a page with pictures, words, truth and verdict of clips; or apply corrections.

    The page needs no server. Its button saves corrections.json: verdicts and
    words of yours, which --apply writes into the clips and measures again.

    Example: alpamayo data review clips --verdict escalate --out review.html
    """
    from alpamayo_ros.cli.choices import one_of
    from alpamayo_ros.training.clips.corrections import apply as correct
    from alpamayo_ros.training.clips.quality import load_bars

    one_of('verdict', verdict, ('', 'keep', 'escalate', 'drop', 'unjudged'))
    found = _find(folders)
    if apply is not None:
        limits = load_bars(bars)
        with working('correcting', kept='corrections so far are kept'):
            said = correct(apply, found, limits)
        typer.echo('\n'.join(said) or f'{apply} changes nothing')
        return
    if out.is_dir():
        raise typer.BadParameter(f'--out {out}: it is a folder; expected a file to write')
    if not out.parent.is_dir():
        raise typer.BadParameter(f'--out {out}: there is no folder {out.parent}; make it first')
    with working('drawing'):
        count = _write(found, out, every, verdict, limit)
    typer.echo(f'{out}: {counted(count, "clip")}; open it in a browser')


def _write(found: list[Path], out: Path, every: float, verdict: str, limit: int) -> int:
    from alpamayo_ros.bags.whole_file import write_whole
    from alpamayo_ros.training.clips import storage
    from alpamayo_ros.training.clips.recorded_clip import StoredClip
    from alpamayo_ros.training.clips.review_page import page

    clips, there = [], Counter[str]()
    for folder in found:
        if wrong := storage.damage(folder):
            raise storage.DamagedClipError(wrong)
        clip = StoredClip(folder)
        there[clip.annotation.verdict or 'unjudged'] += 1
        if verdict in ('', clip.annotation.verdict or 'unjudged'):
            clips.append(clip)
    if not clips:
        counts = ', '.join(f'{count} {name}' for name, count in sorted(there.items()))
        raise ConfigError(f'--verdict {verdict}: no clip has it; there are {counts}')
    title = 'Review of clips' + (f': {verdict}' if verdict else '')
    write_whole(out, page(clips[:limit], title, every, max(0, len(clips) - limit)))
    return len(clips[:limit])


def _find(folders: list[Path]) -> list[Path]:
    from alpamayo_ros.config_file import check_folders
    from alpamayo_ros.training.clips import storage

    check_folders(folders)
    found = list(storage.find(folders))
    if not found:
        named = ', '.join(map(str, folders))
        raise typer.BadParameter(f'no clip in {named}: alpamayo data clips makes some')
    return found
