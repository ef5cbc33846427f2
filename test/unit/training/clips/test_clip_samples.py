"""From clips to samples and shards: pictures, past, future and words that belong together."""

import weakref
from collections.abc import Iterator
from pathlib import Path

import made_up_clips
import numpy as np
import pytest
from made_up_clips import KEEP, NANO, SPEED_MPS, StraightClip

from alpamayo_ros.training.clips.clip import Picture, Pictures
from alpamayo_ros.training.clips.pictures import decoded, grouped, spaced
from alpamayo_ros.training.clips.recorded_clip import ClipError, StoredClip
from alpamayo_ros.training.clips.samples import samples

MS = 10**6


def test_a_sample_holds_what_was_seen_before_and_driven_after() -> None:
    found = list(samples(StraightClip(), NANO))
    assert len(found) == 81
    one = found[40]
    np.testing.assert_allclose(one.frames.age_s[:, 0], [0.0, 0.3, 0.5, 0.8], atol=1e-6)
    assert one.frames.valid.all() and not found[0].frames.valid[1:].any()
    assert [int(view[0, 32, 56, 0]) for view in one.frames.images] == [40, 37, 35, 32]
    np.testing.assert_allclose(one.future[:, 0], SPEED_MPS * 0.1 * np.arange(1, 61), atol=1e-6)
    np.testing.assert_allclose(one.past.poses[:5, 0], SPEED_MPS * -0.1 * np.arange(5), atol=1e-6)
    assert one.note.words == KEEP and one.note.t0_ns == one.frames.t0_ns


def test_the_end_of_the_motion_is_the_end_of_the_samples() -> None:
    clip = StraightClip(seconds=9.0)
    cut = [s for s in clip.states if s.stamp_ns <= clip.stamps[-1]]
    clip.__class__ = type('Cut', (StraightClip,), {'states': property(lambda _: cut)})
    assert len(list(samples(clip, NANO))) == 31


def test_a_lost_camera_is_black_and_not_seen() -> None:
    clip = StraightClip(rig=made_up_clips.rig(('front', 'front_left')))
    one = list(samples(clip, NANO))[30]
    there = [view.camera in ('front', 'front_left') for view in NANO.views]
    assert one.frames.valid[0].tolist() == there
    assert not one.frames.images[:, ~np.array(there)].any()
    with pytest.raises(ClipError, match='wants camera front'):
        next(samples(StraightClip(rig=made_up_clips.rig(('rear',))), NANO))


def test_other_cameras_are_the_nearest_in_time_or_absent() -> None:
    blank: Picture = b''
    stream = sorted(
        [('front', t, blank) for t in (0, 100 * MS, 200 * MS)]
        + [('rear', t, bytes([k])) for k, t in enumerate((-30 * MS, 40 * MS, 110 * MS))],
        key=lambda row: row[1],
    )
    found = list(grouped(stream, 'front'))
    assert [one.by_camera.get('rear') for one in found] == [bytes([0]), bytes([2]), None]


def test_pictures_that_no_instant_can_have_are_not_kept() -> None:
    """The camera ahead stops, another one goes on."""
    made: list[weakref.ref[np.ndarray]] = []
    held: list[int] = []

    def stream() -> Iterator[tuple[str, int, Picture]]:
        yield 'front', 0, b''
        for k in range(50):
            picture = np.zeros((1, 1, 3), np.uint8)
            made.append(weakref.ref(picture))
            yield 'rear', 100 * MS * k, picture
            del picture
            held.append(sum(ref() is not None for ref in made))

    assert len(list(grouped(stream(), 'front'))) == 1 and max(held) <= 4


@pytest.mark.parametrize(('rate_hz', 'count'), [(30.0, 31), (12.0, 30), (10.0, 31), (5.0, 16)])
def test_any_rate_becomes_ten_a_second(rate_hz: float, count: int) -> None:
    stamps = [round(k / rate_hz * 1e9) for k in range(round(3.0 * rate_hz) + 1)]
    found = [one.stamp_ns for one in spaced(Pictures(t, {}) for t in stamps)]
    assert abs(len(found) - count) <= 1 and min(np.diff(found)) >= 60 * MS


def test_a_picture_of_another_size_is_named() -> None:
    wrong = Pictures(7, {'front': np.zeros((4, 4, 3), np.uint8)})
    with pytest.raises(ValueError, match='front at 7 ns is 4 x 4 pixels; its rig says 64 x 36'):
        decoded(wrong, made_up_clips.rig())


def test_a_stored_clip_gives_the_same_samples(folder: Path) -> None:
    for a, b in zip(samples(StoredClip(folder), NANO), samples(StraightClip(), NANO), strict=True):
        np.testing.assert_allclose(a.future, b.future, atol=1e-6)
        assert abs(int(a.frames.images.max()) - int(b.frames.images.max())) <= 2  # JPEG
