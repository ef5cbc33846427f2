"""Words against truth and path: a clip is kept, goes to a person, or is dropped."""

from pathlib import Path

import pytest
from made_up_clips import LEAD, NANO, NOBODY, STOP, WAIT, StraightClip

from alpamayo_ros.config_file import ConfigError
from alpamayo_ros.profile import share_dir
from alpamayo_ros.training.clips import quality, storage
from alpamayo_ros.training.clips.clip import Cause, Note
from alpamayo_ros.training.clips.figures import figures, wrong_facts
from alpamayo_ros.training.clips.motion import moved, with_motion
from alpamayo_ros.training.grammar_file import load_spec

V1, V2, BARS = load_spec('phrases_v1'), load_spec('phrases_v2'), quality.load_bars()


def noted(clip: StraightClip) -> list[Note]:
    found = moved(clip.states, clip.stamps, NANO)
    return [with_motion(n, m) for n, m in zip(clip.notes, found, strict=True)]


@pytest.fixture(scope='module')
def notes() -> list[Note]:
    return noted(StraightClip(seconds=2.0))


def saying(notes: list[Note], words: str, count: int) -> list[Note]:
    """The first so many with other words."""
    return [
        n.model_copy(update={'words': words if k < count else n.words})
        for k, n in enumerate(notes)
    ]


def test_true_words_are_kept(notes: list[Note]) -> None:
    found = figures(notes, len(notes), V1)
    assert found == {
        'covered': 1.0, 'form_valid': 1.0, 'agreement': 1.0, 'contradicted': 0.0,
        'facts_f1': 1.0, 'acceleration_mps2': 0.0,
    }  # fmt: skip
    assert quality.judge(found, BARS) == ('keep', ())


@pytest.mark.parametrize(
    ('words', 'count', 'verdict', 'reason'),
    [
        (WAIT, 3, 'escalate', 'contradicted is 0.14'),
        (WAIT, 21, 'drop', 'agreement is 0.00'),
        (LEAD, 21, 'drop', 'facts_f1'),
        ('intent: keep speed', 2, 'escalate', 'form_valid is 0.90, wanted is at least 1'),
    ],
)
def test_words_against_path_and_truth(
    notes: list[Note], words: str, count: int, verdict: str, reason: str
) -> None:
    said, reasons = quality.judge(figures(saying(notes, words, count), len(notes), V1), BARS)
    assert said == verdict and any(reason in one for one in reasons), reasons


def test_words_are_held_against_the_plan_they_belong_to(notes: list[Note]) -> None:
    """A driver who meant to stop and was set free again did not lie."""
    stops = tuple((min(8.0 * 0.1 * k, 8.0), 0.0, 0.0) for k in range(1, 65))
    meant = [n.model_copy(update={'plan': stops, 'words': STOP}) for n in notes]
    assert figures(meant, len(meant), V1)['agreement'] == 1.0


def test_what_is_not_known_is_not_judged(notes: list[Note]) -> None:
    silent = [n.model_copy(update={'words': '', 'facts': None}) for n in notes]
    found = figures(silent, len(notes), None)
    assert found['agreement'] is None and found['facts_f1'] is None
    assert quality.judge(found, BARS)[0] == 'keep'
    assert quality.judge(figures(silent[:9], len(notes), None), BARS)[0] == 'drop'  # odometry


def test_acceleration_is_of_half_a_second_whatever_is_missing() -> None:
    braking = [Note(t0_ns=k * 10**8, speed_mps=20.0 - 0.2 * k) for k in range(60)]
    for some in (braking, braking[::2], braking[:20] + braking[40:]):
        assert figures(some, 60, None)['acceleration_mps2'] == pytest.approx(2.0)
    assert figures(braking[::10], 60, None)['acceleration_mps2'] is None


def test_bounds_without_an_effect_are_refused() -> None:
    with pytest.raises(ValueError, match='drop_below <= escalate_below'):
        quality.Bar(drop_below=0.1, escalate_below=0.2, escalate_above=0.3)


def test_what_is_wrong_is_named(notes: list[Note]) -> None:
    truth = NOBODY | {'lead': ('present', 'standing')}
    one = notes[0].model_copy(update={'facts': truth, 'words': STOP})
    false, unsaid = wrong_facts(one)
    assert false == ['manoeuvre stop']
    assert unsaid == ['lead present', 'lead standing', 'manoeuvre keep']


def test_the_binding_object_has_to_be_named(notes: list[Note]) -> None:
    slots = {slot.name: slot for _, slot in V2.slots()}
    true = {name: next(iter(slot.values)) for name, slot in slots.items()}
    text = '\n'.join(
        f'{part.name}: ' + ''.join(s.wordings(true[s.name])[0] for s in part.slots)
        for part in V2.parts
    )
    cause = Cause(name=true['binding'], effect_m=4.0, things=True)
    right = [n.model_copy(update={'words': text, 'values': true, 'cause': cause}) for n in notes]
    assert figures(right, len(right), V2)['binding_named'] == 1.0
    other = cause.model_copy(update={'name': 'another'})
    wrong = [n.model_copy(update={'cause': other}) for n in right]
    found = figures(wrong, len(wrong), V2)
    assert found['binding_named'] == 0.0 and quality.judge(found, BARS)[0] == 'drop'


def test_the_verdict_is_in_the_annotation_and_a_persons_stays(folder: Path) -> None:
    counts = quality.filter_clips([folder], BARS)
    assert (counts['keep'], counts['by_a_person']) == (1, 0)
    found = storage.read_annotation(folder)
    assert (found.verdict, found.by, found.figures['agreement']) == ('keep', 'filter', 1.0)
    revision = storage.read_meta(folder).revision
    quality.filter_clips([folder], BARS)
    assert storage.read_meta(folder).revision == revision  # nothing new, nothing written
    bad = found.model_copy(update={
        'verdict': 'keep', 'by': 'review',
        'notes': tuple(n.model_copy(update={'words': WAIT}) for n in found.notes),
    })  # fmt: skip
    storage.amend(folder, bad, storage.read_meta(folder))
    counts = quality.filter_clips([folder], BARS)
    after = storage.read_annotation(folder)
    assert (after.verdict, after.by, counts['by_a_person']) == ('keep', 'review', 1)
    assert any('agreement' in reason for reason in after.reasons)  # what the filter would say


def test_a_damaged_clip_is_named_and_left_alone(folder: Path) -> None:
    (folder / 'drive.mcap').write_bytes(b'')
    counts = quality.filter_clips([folder], BARS)
    assert counts['keep'] == 0 and 'has 0 bytes' in counts['damaged'][0]  # type: ignore[index]
    assert storage.read_meta(folder).revision == 1


def test_bars_that_contradict_themselves_are_refused(tmp_path: Path) -> None:
    text = (share_dir() / 'config' / 'clip_quality.yaml').read_text()
    file = tmp_path / 'bars.yaml'
    file.write_text(text.replace('drop_below: 0.78', 'drop_below: 0.98'))
    with pytest.raises(ConfigError, match='drop_below <= escalate_below'):
        quality.load_bars(file)
    file.write_text(text.replace('facts_f1:', 'fact_f1:'))
    with pytest.raises(ConfigError, match='did you mean facts_f1'):
        quality.load_bars(file)
    strict = tmp_path / 'strict.yaml'
    strict.write_text(text.replace('drop_above: 0.25', 'drop_above: 0.05'))
    assert quality.load_bars(strict)['contradicted'].judge(0.1) == 'drop'
