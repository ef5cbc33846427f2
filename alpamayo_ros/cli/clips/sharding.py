"""``alpamayo data shards``: clips made into a shard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alpamayo_ros.cli.clips.making import SOURCE, opened, passed_over, why_not
from alpamayo_ros.cli.model import ProfileOption
from alpamayo_ros.cli.working import working
from alpamayo_ros.statuses import ConfigError, Status
from alpamayo_ros.units import counted

if TYPE_CHECKING:
    from alpamayo_ros.profile import ModelProfile
    from alpamayo_ros.training.clips.clip import ClipSource
    from alpamayo_ros.training.clips.clip_shards import ClipShard


def shards(
    sources: Annotated[list[str], SOURCE],
    out: Annotated[Path, typer.Option(help='Folder of the shard; RUN/data/NAME-0 for a recipe.')],
    profile: ProfileOption = 'nano',
    run: Annotated[
        Path | None, typer.Option(help='Folder of the run whose tokenizer words are written in.')
    ] = None,
    escalated: Annotated[
        bool, typer.Option('--escalated', help='Take clips that wait for a person too.')
    ] = False,
) -> None:
    """Make a shard that a step of a recipe trains on (data: [NAME]) of clips, of any source.

    Clips that the filter or a person dropped are left out, and those that wait for a person.
    Exit 5 where clips of a data set cannot be read; the others are taken.

    Example: alpamayo data shards clips --out runs/mine/data/clips-0
    """
    from alpamayo_ros.cli.choices import profile_of
    from alpamayo_ros.cli.common.alone import alone
    from alpamayo_ros.training.clips.clip_shards import ClipShard
    from alpamayo_ros.training.clips.recorded_clip import StoredClips
    from alpamayo_ros.training.shards.integrity import META, strangers
    from alpamayo_ros.training.vocabulary import build_vocabulary, check_begun, run_vocabulary

    if (out / META).exists():
        raise typer.BadParameter(f'--out {out} holds a shard already; delete it to make it anew')
    if strange := strangers(out):
        raise typer.BadParameter(f'--out {out} holds {strange[0]}; name a folder of its own')
    chosen = profile_of(profile)
    with working('reading clips', (ValueError, OSError), into=out), alone(out):
        if run is not None:
            check_begun(run, 'without --run words are written as a new run begins with them')
        found = [opened(text, None, [], chosen) for text in sources]
        for one in found:
            if isinstance(one, StoredClips) and escalated:
                one.verdicts = ('', 'keep', 'escalate')
        shard = ClipShard(chosen, run_vocabulary(chosen, run) if run else build_vocabulary(chosen))
        lost = _fill(shard, found)
        left = passed_over(found)
        if left and shard.empty and not lost:
            raise ConfigError(f'{out}: no shard: no clip is taken, {left}')
        if lost and shard.empty:
            text = f'none of the clips gives a sample, {lost} cannot be read'
            typer.echo(f'{out}: no shard: {text}', err=True)
            raise typer.Exit(Status.DAMAGED)
        counts = shard.write(out)
    named = ((count, name.replace('_', ' ')) for name, count in counts.items())
    said = ', '.join(counted(count, name.removesuffix('s'), name) for count, name in named)
    said += f', {counted(lost, "clip")} unreadable' * bool(lost) + f'; {left}' * bool(left)
    typer.echo(f'{out}: {said}')
    if counts.get('foreign_words') and not counts.get('worded'):
        _warn_foreign(chosen)
    raise typer.Exit(Status.DAMAGED if lost else Status.PASS)


def _fill(shard: ClipShard, sources: list[ClipSource]) -> int:
    """Add every clip; how many cannot be read, each of which is named."""
    lost = 0
    for source in sources:
        for clip in source.clips():
            try:
                shard.add(clip)
            except (ValueError, FileNotFoundError) as error:
                typer.echo(f'no clip: {why_not(clip, source, error)}', err=True)
                lost += 1
    return lost


def _warn_foreign(profile: ModelProfile) -> None:
    """Say that a shard teaches no word, though its clips have some."""
    spoken = profile.text.grammar
    typer.echo(
        f'alpamayo: no word is learnt from this shard: {profile.name} speaks {spoken}, which '
        'wrote none of the words of these clips. Make clips of scenarios with: alpamayo data '
        f'clips --words {spoken}; give clips of recordings words of it on the page of alpamayo '
        'data review; or choose a --profile whose text.grammar is theirs (clip.json names it)',
        err=True,
    )
