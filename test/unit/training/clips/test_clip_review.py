"""The review page shows what is there, escapes it, and its corrections are checked and applied."""

import json
from pathlib import Path

import pytest
from browser import browser
from made_up_clips import KEEP, WAIT

from alpamayo_ros.config_file import ConfigError
from alpamayo_ros.training.clips import quality, storage
from alpamayo_ros.training.clips.corrections import apply
from alpamayo_ros.training.clips.figures import fitting
from alpamayo_ros.training.clips.recorded_clip import StoredClip
from alpamayo_ros.training.clips.review_page import page

BARS = quality.load_bars()


def change(folder: Path, words: str) -> None:
    """Other words in every note."""
    meta, found = storage.read_both(folder)
    notes = tuple(n.model_copy(update={'words': words}) for n in found.notes)
    storage.amend(folder, found.model_copy(update={'notes': notes}), meta)


def corrections(folder: Path, **clips: object) -> Path:
    file = folder.parent / 'corrections.json'
    file.write_text(json.dumps({'format': 1, 'clips': clips}))
    return file


def test_the_page_shows_pictures_words_truth_and_verdict(folder: Path) -> None:
    change(folder, WAIT)
    quality.filter_clip(folder, BARS)
    text = page([StoredClip(folder)], 'Review', 4.0)
    assert text.count('<textarea') == 3 and text.count('data:image/jpeg') == 6  # 0, 4 and 8 s
    assert '1 clip: 1 drop' in text and 'drop: agreement is 0.00' in text
    assert 'not driven: wait' in text and 'not said: manoeuvre keep' in text
    assert 'intent: wait and keep the lane' in text and 'http' not in text.replace(
        'http-equiv', ''
    )


def test_a_page_says_of_how_many_wrong_instants_it_lacks(folder: Path) -> None:
    change(folder, WAIT)
    wrong = sum('wait' in fitting(n) for n in storage.read_annotation(folder).notes)
    assert f'at {wrong - 3} more instants, not on this page' in page([StoredClip(folder)], '', 4.0)
    change(folder, KEEP)
    assert 'not on this page' not in page([StoredClip(folder)], '', 4.0)


def test_words_cannot_break_out_of_the_page(folder: Path) -> None:
    change(folder, '</textarea><script>alert(1)</script>')
    text = page([StoredClip(folder)], '<b>x</b>', 9.0)
    assert text.count('<script>') == 1 and '&lt;script&gt;alert' in text and '<b>x' not in text


def test_a_page_with_changes_is_not_left_unasked(folder: Path, tmp_path: Path) -> None:
    change(folder, KEEP)
    file = tmp_path / 'review.html'
    file.write_text(page([StoredClip(folder)], 'Review', 4.0), encoding='utf-8')
    leave = "dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    said = "document.getElementById('count').textContent"
    write = "document.querySelector('textarea').value = '{}';"
    write += "form.dispatchEvent(new Event('input'))"
    with browser(tmp_path / 'browser') as seen:
        seen.open(file.as_uri())
        seen.call('Page.setDownloadBehavior', behavior='deny')  # else it lies in ~/Downloads
        assert seen.evaluate(leave) and seen.evaluate(said) == 'nothing changed'
        seen.evaluate(write.format('other words'))
        assert not seen.evaluate(leave)  # the browser asks
        assert seen.evaluate(said) == '1 clip changed, not saved yet'
        seen.evaluate("document.getElementById('save').click()")
        assert seen.evaluate(leave) and seen.evaluate(said) == '1 clip changed, saved'
        seen.evaluate(write.format('words again'))
        assert not seen.evaluate(leave)


def test_corrections_are_applied_and_measured_again(folder: Path) -> None:
    change(folder, WAIT)
    assert quality.filter_clip(folder, BARS).verdict == 'drop'
    stamps = [str(n.t0_ns) for n in storage.read_annotation(folder).notes]
    file = corrections(folder, **{folder.name: {'words': dict.fromkeys(stamps, KEEP)}})
    assert apply(file, [folder], BARS) == [
        f'{folder.name}: keep (by the filter), 81 words changed'
    ]
    file = corrections(folder, **{folder.name: {'verdict': 'drop'}})
    assert 'drop (by the review)' in apply(file, [folder], BARS)[0]
    assert quality.filter_clip(folder, BARS).verdict == 'drop'  # a person's
    file = corrections(folder, **{folder.name: {'verdict': ''}})
    assert 'keep (by the filter)' in apply(file, [folder], BARS)[0]
    assert storage.damage(folder) == ''


def test_corrections_that_are_there_already_change_nothing(folder: Path) -> None:
    change(folder, KEEP)
    quality.filter_clip(folder, BARS)
    read = storage.read_meta(folder)
    stamps = [str(n.t0_ns) for n in storage.read_annotation(folder).notes]
    file = corrections(folder, **{folder.name: {'words': {s: KEEP for s in stamps}}})
    assert apply(file, [folder], BARS)[0].endswith('0 words changed')
    assert storage.read_meta(folder) == read


def test_blanks_and_line_ends_of_typed_words_are_not_part_of_them(folder: Path) -> None:
    change(folder, WAIT)
    typed = {0: KEEP + '\n', 1: KEEP.replace('\n', ' \r\n'), 2: '\n' + KEEP, 3: ' \n'}
    notes = storage.read_annotation(folder).notes
    words = {str(notes[k].t0_ns): text for k, text in typed.items()}
    apply(corrections(folder, **{folder.name: {'words': words}}), [folder], BARS)
    found = [note.words for note in storage.read_annotation(folder).notes[:5]]
    assert found == [KEEP, KEEP, KEEP, '', WAIT]


def test_stamps_in_yaml_need_no_quotes(folder: Path) -> None:
    file = folder.parent / 'corrections.yaml'
    stamp_ns = storage.read_annotation(folder).notes[0].t0_ns
    file.write_text(f'{{format: 1, clips: {{"straight_000": {{words: {{{stamp_ns}: ""}}}}}}}}')
    assert '1 word changed' in apply(file, [folder], BARS)[0]
    assert storage.read_annotation(folder).notes[0].words == ''


@pytest.mark.parametrize(
    ('clips', 'words'),
    [
        ({'strait_000': {'verdict': 'keep'}}, "no clip 'strait_000'; did you mean straight_000"),
        ({'straight_000': {'words': {'7': KEEP}}}, 'has no note at 7 ns'),
        ({'straight_000': {'verdict': 'good'}}, 'verdict'),
        ({'straight_000': {'words': {'1000000000000': 'fly'}}}, 'v1: 1 lines, expected 4: perc'),
        (
            {'straight_000': {'words': {'1000000000000': KEEP.replace('keep speed', 'fly')}}},
            "'intent: fly and keep the lane'; expected intent: and its phrases .config/gram",
        ),
    ],
)
def test_wrong_corrections_change_nothing(
    folder: Path, clips: dict[str, object], words: str
) -> None:
    file = corrections(folder, **{'straight_000': {'verdict': 'drop'}} | clips)
    with pytest.raises(ConfigError, match=words):
        apply(file, [folder], BARS)
    assert storage.read_meta(folder).revision == 1
