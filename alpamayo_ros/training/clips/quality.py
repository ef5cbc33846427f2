"""The quality filter: a clip is kept, goes to a person, or is dropped, each with its reasons.

Bars are in ``config/clip_quality.yaml``.  What a person has decided stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from alpamayo_ros.config_file import read_model
from alpamayo_ros.profile import share_dir
from alpamayo_ros.training.clips import storage
from alpamayo_ros.training.clips.figures import Figures, figures
from alpamayo_ros.training.grammar_file import load_spec

NAMES = (
    'covered', 'form_valid', 'agreement', 'contradicted', 'facts_f1', 'objects_f1',
    'binding_named', 'acceleration_mps2',
)  # fmt: skip
Bound = Annotated[float, Field(ge=0, le=1000)]


class Bar(BaseModel):
    """Where a figure sends a clip to a person, and where out of training."""

    model_config = ConfigDict(extra='forbid', frozen=True)
    escalate_below: Bound | None = None
    drop_below: Bound | None = None
    escalate_above: Bound | None = None
    drop_above: Bound | None = None

    @model_validator(mode='after')
    def _in_order(self) -> Bar:
        below, above = (
            (self.drop_below, self.escalate_below),
            (
                self.escalate_above,
                self.drop_above,
            ),
        )
        pairs = [pair for pair in (below, above) if None not in pair]
        given = sum(bound is not None for pair in (below, above) for bound in pair)
        if given != 2 or len(pairs) != 1 or any(low > high for low, high in pairs):  # type: ignore[operator]
            raise ValueError('give drop_below <= escalate_below, or escalate_above <= drop_above')
        return self

    def judge(self, value: float) -> storage.Verdict:
        """What one figure says."""
        if self.drop_below is not None and self.escalate_below is not None:
            low = value < self.drop_below
            return 'drop' if low else 'escalate' if value < self.escalate_below else 'keep'
        assert self.drop_above is not None and self.escalate_above is not None
        high = value > self.drop_above
        return 'drop' if high else 'escalate' if value > self.escalate_above else 'keep'

    def __str__(self) -> str:
        """What is wanted."""
        if self.escalate_below is not None:
            return f'at least {self.escalate_below:g}'
        return f'at most {self.escalate_above:g}'


_Bars = create_model(
    '_Bars',
    __config__=ConfigDict(extra='forbid', frozen=True),
    **{name: (Bar, ...) for name in NAMES},  # type: ignore[call-overload]
)


def load_bars(path: Path | None = None) -> dict[str, Bar]:
    """The bars of a file, by default those that ship; ConfigError says what is wrong with it."""
    file = path or share_dir() / 'config' / 'clip_quality.yaml'
    found = read_model(file, _Bars)
    return {name: getattr(found, name) for name in NAMES}


def judge(found: Figures, bars: dict[str, Bar]) -> tuple[storage.Verdict, tuple[str, ...]]:
    """The worst that any figure says, and every reason; figures that are None say nothing."""
    worst: storage.Verdict = 'keep'
    reasons = []
    for name, bar in bars.items():
        value = found.get(name)
        said = 'keep' if value is None else bar.judge(value)
        if said != 'keep':
            worst = 'drop' if 'drop' in (said, worst) else 'escalate'
            reasons.append(f'{said}: {name} is {value:.2f}, wanted is {bar}')
    return worst, tuple(reasons)


def filter_clip(folder: Path, bars: dict[str, Bar]) -> storage.Annotation:
    """Measure a clip and write its verdict into the annotation; a person's verdict stays."""
    meta, before = storage.read_both(folder)
    spec = load_spec(meta.grammar) if meta.grammar else None
    found = figures(before.notes, meta.instants, spec)
    verdict, reasons = judge(found, bars)
    rounded = {k: None if v is None else round(v, 4) for k, v in found.items()}
    update: dict[str, object] = {'figures': rounded, 'reasons': reasons}
    if before.by != 'review':
        update |= {'verdict': verdict, 'by': 'filter'}
    after = before.model_copy(update=update)
    if after != before:
        storage.amend(folder, after, meta)
    return after


def filter_clips(
    folders: Sequence[Path],
    bars: dict[str, Bar],
    progress: Callable[[float], None] = lambda _: None,
) -> dict[str, object]:
    """Judge all clips; counts by verdict and by reason, and the damaged ones by name."""
    verdicts, why = Counter[str](keep=0, escalate=0, drop=0), Counter[str]()
    damaged: list[str] = []
    reviewed = 0
    for number, folder in enumerate(folders):
        if wrong := storage.damage(folder):
            damaged.append(wrong)
            continue
        found = filter_clip(folder, bars)
        verdicts[found.verdict] += 1
        reviewed += found.by == 'review'
        why.update(' '.join(reason.split()[:2]) for reason in found.reasons)
        progress((number + 1) / len(folders))
    return {
        'clips': len(folders),
        **verdicts,
        'by_a_person': reviewed,
        'reasons': dict(sorted(why.items())),
        'damaged': damaged,
    }
