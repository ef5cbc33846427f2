"""Names of any length stay in their own part of a frame: no text lies on another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from alpamayo_ros.film import canvas
from alpamayo_ros.film.dashboard import VIEW_BOX, Dashboard, FrameContent
from alpamayo_ros.film.top_view import Scene

LONG = 'a recording of vehicle 3 in Berlin on a rainy day ' * 6
SHORT = FrameContent(
    title='drive.mcap',
    subtitle='recorded drive',
    time_s=4.0,
    scene=Scene((0.0, 0.0, 0.0)),
    images={'front': np.zeros((90, 160, 3), np.uint8)},
    state='DEGRADED',
    reason='CAM_LOST',
    runtime='nano · onnx',
)
FIRST_LINE, SECOND_LINE = slice(0, 37), slice(40, 60)


def changed(before: FrameContent, after: FrameContent) -> np.ndarray:
    """Which pixels differ."""
    frames = [Dashboard().compose(content).astype(int) for content in (before, after)]
    return (frames[0] != frames[1]).any(2)


def test_a_long_title_ends_before_runtime_and_time():
    found = changed(SHORT, replace(SHORT, title=LONG))[FIRST_LINE]
    bare = changed(replace(SHORT, runtime=''), SHORT)[FIRST_LINE]  # where the runtime stands
    assert found.any() and bare.any()
    assert np.flatnonzero(found.any(0)).max() < np.flatnonzero(bare.any(0)).min()


def test_a_long_subtitle_leaves_half_of_its_line_to_the_reason():
    long = replace(SHORT, subtitle=LONG, reason=LONG)
    wide = Dashboard().compose(long).astype(int)[SECOND_LINE]
    ink = np.flatnonzero((np.abs(wide - np.array(canvas.BACKGROUND)) > 40).any((0, 2)))
    assert np.diff(ink).max() > 20  # a gap lies between the two


def test_the_name_of_a_camera_and_the_note_stay_in_their_boxes():
    picture = np.zeros((90, 160, 3), np.uint8)
    named = changed(replace(SHORT, images={'a': picture}), replace(SHORT, images={LONG: picture}))
    assert named.any() and not named[:, VIEW_BOX[0] :].any()
    noted = changed(SHORT, replace(SHORT, note=LONG))
    assert noted.any() and not noted[:, VIEW_BOX[0] + VIEW_BOX[2] :].any()


def test_a_word_without_end_is_cut_in_every_line():
    endless = 'unterbrechungsfrei' * 9
    for words in (endless, f'{endless} and more', f'{endless} {endless}'):
        assert all(canvas.text_width(line, 18) <= 300 for line in canvas.wrap(words, 18, 300, 2))
