"""One sentence about a replay, by criteria that are written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alpamayo_ros.replay.baseline import NAME
from alpamayo_ros.replay.replay_figures import DEFINITIONS, Cell, Figures

PLANNED_SHARE = 0.9  # of the timesteps from the first plan on
SAME = 0.02  # of the baseline: a difference that is none
PASS, FAIL, UNKNOWN = 'pass', 'fail', 'not evaluable'
AGAINST_BASELINE = ('l2_at_1s', 'l2_at_3s', 'ade')


@dataclass(frozen=True, slots=True)
class Verdict:
    """``word``: pass, fail or not evaluable; ``notes``: what a reader should know besides."""

    word: str
    sentence: str
    notes: tuple[str, ...] = ()


def judge(
    figures: Figures,
    table: Mapping[str, tuple[Cell, Cell]],
    broken: str,
    black: Sequence[str] = (),
    interrupted: bool = False,
) -> Verdict:
    """Fail: the bag is broken, or the model, once it had begun, planned at under 90 % of t0.

    Where the driver never began, as in a recording of a second, there is nothing to judge.

    How near the plans were to what was driven is said, not judged: nobody has a limit for it.
    ``--against`` compares with an earlier run.  With ``black`` cameras, or
    ``interrupted``, nothing passes.
    """
    notes = tuple(_notes(table))
    if broken:
        return Verdict(FAIL, f'The bag is damaged: {broken}', notes)
    if not figures.with_model:
        return Verdict(UNKNOWN, _without_model(figures, table), notes)
    if figures.proposals == 0:
        why = _because(figures) or f'{table["planned_share"][0].reason}.'
        return Verdict(UNKNOWN, f'Nothing was planned: {why}', notes)
    word, sentence = _planned(figures, table)
    if black:
        partly = f'With {len(black)} of the cameras black: {sentence[0].lower()}{sentence[1:]}'
        return Verdict(UNKNOWN, partly, notes)
    if interrupted and word == PASS:
        return Verdict(UNKNOWN, f'Interrupted before the end; until then {sentence}', notes)
    return Verdict(word, sentence, notes)


def _planned(figures: Figures, table: Mapping[str, tuple[Cell, Cell]]) -> tuple[str, str]:
    """Whether the model planned as often as it should, and how near to what was driven."""
    if figures.armed == 0:
        none = f'None of {figures.proposals} proposals of the model became a plan'
        if figures.begun:
            return FAIL, f'{none}.'
        first = 'all inputs have to be valid for init_valid_s of the limits first'
        return UNKNOWN, f'{none}, for the driver never began: {first}. {_because(figures)}'.strip()
    words = f'{figures.plans} of {figures.armed} timesteps gave a plan'
    if figures.plans < PLANNED_SHARE * figures.armed:
        counted = ', '.join(f'{name} {n}' for name, n in figures.unplanned.most_common(2))
        why = _because(figures) or f'{counted}.'
        return FAIL, f'{words}, at least {PLANNED_SHARE:.0%} are expected; {why}'
    return PASS, f'{words}{_beside(table, figures.plans)}.'


def _without_model(figures: Figures, table: Mapping[str, tuple[Cell, Cell]]) -> str:
    """What took part instead of a model, or why nothing could be evaluated."""
    if any(baseline.value is not None for _, baseline in table.values()):
        return 'No model took part; only the recording and the baseline.'
    why = _because(figures) or f'{table["ade"][1].reason}.'
    return f'No model took part, and nothing of the baseline can be evaluated: {why}'


def _because(figures: Figures) -> str:
    """The commonest cause of timesteps without a plan, with its values and its remedy."""
    found = figures.without_plan.causes()
    if not found:
        return ''
    return f'{found[0].chain} ({found[0].timesteps} of {figures.timesteps} timesteps)'


def _beside(table: Mapping[str, tuple[Cell, Cell]], plans: int) -> str:
    """How the plans compare with the baseline, in one clause, which says of how many that is."""
    model, baseline = table['ade']
    name = 'ade'
    if model.value is None or baseline.value is None:
        name = 'l2_at_3s'
        model, baseline = table[name]
    if model.value is None or baseline.value is None:
        return ''
    what = 'over 6 s' if name == 'ade' else 'at 3 s'
    than = 'nearer to it than' if model.value < baseline.value else 'further from it than'
    if abs(model.value - baseline.value) <= SAME * baseline.value:
        than = 'about as near as'
    which = ','
    if model.n < plans:  # the recording ends before the others do
        many = f'the {model.n} of them that can be compared are'
        which = f'; {many if model.n > 1 else "the one of them that can be compared is"}'
    return (
        f'{which} on average {model.value:.2f} m from what was driven {what}: {than} {NAME} '
        f'({baseline.value:.2f} m)'
    )


def _notes(table: Mapping[str, tuple[Cell, Cell]]) -> list[str]:
    worse = [
        name
        for name in AGAINST_BASELINE
        if (m := table[name][0].value) is not None
        and (b := table[name][1].value) is not None
        and m > b
    ]
    if not worse:
        return []
    units = ', '.join(f'{n} {table[n][0].value:.2f} {DEFINITIONS[n].unit}' for n in worse)
    return [f'The model is worse than {NAME} in: {units}.']
