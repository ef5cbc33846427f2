"""``alpamayo train exam``: the states that a run held out, put to any weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import typer
from safetensors import SafetensorError

from alpamayo_ros.cli.choices import profile_of
from alpamayo_ros.cli.common import tables
from alpamayo_ros.cli.training.stream import weights_of
from alpamayo_ros.cli.working import working
from alpamayo_ros.config_file import check_folders
from alpamayo_ros.metrics import Interval
from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.tokenizer import Tokenizer
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.statuses import ConfigError
from alpamayo_ros.training.checkpoint import load_weights
from alpamayo_ros.training.exam.examined import Examined, examined, farther, figures
from alpamayo_ros.training.exam.held_out import groups, held_out
from alpamayo_ros.training.reinforcement.answering import Answering
from alpamayo_ros.training.reinforcement.word_table import WordTable
from alpamayo_ros.training.shards.integrity import damage
from alpamayo_ros.training.stream.settings import Settings
from alpamayo_ros.training.vocabulary import run_vocabulary


@dataclass(frozen=True, slots=True)
class Asked:
    """One model's answers; ``more`` how much farther from the expert than the first model."""

    weights: Path
    drives: list[Examined]
    more: Interval | None

    def record(self) -> dict[str, Any]:
        """For ``--json``: figures with low and high, in all and by family."""
        families = sorted({d.family for d in self.drives})
        return {
            'weights': str(self.weights),
            'drives': len(self.drives),
            'states': sum(len(d.best_m) for d in self.drives),
            **_plain(figures(self.drives)),
            **({} if self.more is None else _plain({'farther_than_first_m': self.more})),
            'families': {f: _plain(figures([d for d in self.drives if d.family == f]))
                         for f in families},
        }  # fmt: skip


def exam(root: Path, weights: list[Path], out: Path | None) -> None:
    """Ask all ``weights``, of the run itself where none is named; print, and write ``out``."""
    files = [weights_of(place) for place in weights or [root]]
    with working('states', (ConfigError,)) as tell:
        shards = sound_shards(root)
        found: list[Asked] = []
        for k, file in enumerate(files):
            drives = _ask(root, file, shards, lambda s, k=k: tell((k + s) / len(files)))  # type: ignore[misc]
            found.append(Asked(file, drives, farther(drives, found[0].drives) if found else None))
    _show(found)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps([one.record() for one in found], indent=1) + '\n')


def sound_shards(root: Path) -> list[Path]:
    """The drives that a run held out; ConfigError where there is none or one is damaged."""
    check_folders([root])
    shards = held_out(root)
    for said in filter(None, map(damage, shards)):
        raise ConfigError(said)
    return shards


def _ask(
    root: Path, weights: Path, shards: list[Path], tell: Callable[[float], None]
) -> list[Examined]:
    model, answering = candidate(root, weights)
    drives = []
    for done, group in enumerate(groups(shards, model, answering.grammar), 1):
        drives.append(examined(model, group, answering))
        tell(done / len(shards))
    return drives


def candidate(root: Path, weights: Path) -> tuple[VLA, Answering]:
    """A model with ``weights`` that can be asked about the states of the run in ``root``."""
    profile = profile_of(Settings.of_run(root / 'rank_0').profile)
    grammar = run_vocabulary(profile, root)
    _check_words(weights, grammar)
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    model = VLA(profile).to(device)
    try:
        load_weights(weights, model)
    except (RuntimeError, SafetensorError) as error:
        raise ConfigError(f'{weights} does not fit {profile.name}: {error}') from None
    model.eval()
    return model, Answering(WordTable(grammar, profile.text.vocab_size, device), grammar)


def _check_words(weights: Path, grammar: Grammar) -> None:
    """ConfigError where weights have a vocabulary of their own: states are stored in the run's."""
    file = weights.parent / 'tokenizer.json'
    if file.is_file() and Tokenizer.from_json(file.read_text()).to_json() != (
        grammar.tokenizer.to_json()
    ):
        raise ConfigError(
            f'{weights} speaks another vocabulary than the run, whose instructions and words are '
            'stored in its own: ask weights of this run, or those it began with'
        )


def _show(found: list[Asked]) -> None:
    """A row a figure, a column a model, with what changed against the first."""
    from rich.table import Table

    states, drives = sum(len(d.best_m) for d in found[0].drives), len(found[0].drives)
    table = Table('figure', *(str(one.weights.parent) for one in found))
    columns = [figures(one.drives) for one in found]
    for name in columns[0]:
        table.add_row(name, *(in_words(column[name]) for column in columns))
    if len(found) > 1:
        table.add_row('farther_than_first_m', '', *(in_words(one.more) for one in found[1:]))
    tables.show(table)
    typer.echo(f'{states} states of {drives} drives that nothing was learnt from; in brackets '
               '95 % over drives')  # fmt: skip


def in_words(figure: Interval | None) -> str:
    """A mean with its interval, '-' for none."""
    if figure is None:
        return '-'
    if figure.low is None or figure.high is None:
        return f'{figure.mean:.3f}'
    return f'{figure.mean:.3f} ({figure.low:.3f} to {figure.high:.3f})'


def _plain(rows: dict[str, Interval | None]) -> dict[str, list[float | None] | None]:
    return {k: None if v is None else [v.mean, v.low, v.high] for k, v in rows.items()}
