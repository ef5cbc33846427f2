"""Damaged JPEG data, and seams at the edges of blocks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.sensing.pictures import jpeg as module
from alpamayo_ros.sensing.pictures.jpeg import decode_jpeg
from alpamayo_ros.sensing.pictures.torn import SEAMS, SeamWatch, torn

SIZE = (160, 96)
STEP_NS = 100_000_000


def picture(horizon: int = 40) -> np.ndarray:
    """RGB: a bright sky over a dark road, with some noise."""
    rng = np.random.default_rng(1)
    rgb = rng.uniform(-3, 3, (SIZE[1], SIZE[0], 3)) + 70
    rgb[:horizon] += 100
    return rgb.astype(np.uint8)


def coded(rgb: np.ndarray, **options: int) -> bytes:
    flags = [value for item in options.items() for value in (getattr(cv2, item[0]), item[1])]
    return cv2.imencode('.jpg', rgb[..., ::-1], flags)[1].tobytes()


@pytest.mark.parametrize('reduction', [1, 2, 4, 8])
@pytest.mark.parametrize('progressive', [0, 1])
def test_the_same_bytes_as_opencv(reduction: int, progressive: int) -> None:
    data = coded(picture()[:93, :155], IMWRITE_JPEG_PROGRESSIVE=progressive)
    flag = {1: cv2.IMREAD_COLOR, 2: 17, 4: 33, 8: 65}[reduction]
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), flag)[..., ::-1]
    np.testing.assert_array_equal(decode_jpeg(data, (155, 93), reduction), expected)


def test_grey_comes_as_three_channels() -> None:
    data = cv2.imencode('.jpg', picture()[..., 0])[1].tobytes()
    assert decode_jpeg(data, SIZE).shape == (SIZE[1], SIZE[0], 3)


def test_lost_bytes_are_named_in_the_words_of_the_decoder() -> None:
    data = coded(picture())
    for cut in (data[:-40] + data[-2:], data[:-2] + b'\x12\x34' * 20 + data[-2:]):
        found = decode_jpeg(cut, SIZE)
        assert isinstance(found, Fault) and found.code is Code.IMG_TORN
        assert 'Corrupt JPEG data' in found.message


def test_zeros_before_the_end_mark_are_no_damage() -> None:
    data = coded(picture())
    padded = data[:-2] + bytes(300) + data[-2:]
    np.testing.assert_array_equal(decode_jpeg(padded, SIZE), decode_jpeg(data, SIZE))
    cut = data[:-60] + bytes(300) + data[-2:]
    assert isinstance(decode_jpeg(cut, SIZE), Fault)
    assert module._unpadded(b'\x01\xff\0\0\0\xff\xd9') == b'\x01\xff\0\xff\xd9'


def test_what_is_no_jpeg_at_all_is_a_fault() -> None:
    assert isinstance(decode_jpeg(b'\xff\xd8\xff' + bytes(50) + b'\xff\xd9', SIZE), Fault)


@pytest.mark.parametrize('down', [-40, 40])
@pytest.mark.parametrize('channel', [0, 1, 2])
def test_a_seam_at_the_edge_of_a_block_is_new_or_was_there(down: int, channel: int) -> None:
    before, now = picture(), picture().astype(int)
    now[64:, :, channel] += down
    now = now.clip(0, 255).astype(np.uint8)
    assert torn(now, [before]) > 0.9
    assert torn(now, [now]) == 0.0 and torn(before, [now]) == 0.0 and torn(before, [before]) == 0.0


def test_a_seam_between_the_edges_is_none_of_a_jpeg() -> None:
    now = picture()
    now[62:] += 40
    assert torn(now, [picture()]) == 0.0


def test_a_horizon_that_nods_into_an_edge_was_there_before() -> None:
    for horizon in (40 - SEAMS.rows, 40 + SEAMS.rows):
        assert torn(picture(40), [picture(horizon)]) == 0.0
    assert torn(picture(40), [picture(40 + SEAMS.rows + 2)]) > 0.9


@pytest.mark.parametrize('share', [0.35, 0.55])
def test_so_many_columns_tear_a_picture(share: float) -> None:
    now = picture()
    now[64:, : int(share * SIZE[0])] += 40
    assert (torn(now, [picture()]) > 0) == (share > SEAMS.share)


def test_at_half_and_quarter_size_blocks_are_smaller_and_at_an_eighth_nothing_is_told() -> None:
    for reduction, row in ((2, 60), (4, 62)):
        now = picture()
        now[row:] += 40
        assert torn(now, [picture()]) == 0.0 and torn(now, [picture()], reduction) > 0.9
    assert torn(now, [picture()], 8) == 0.0


def test_nothing_is_told_without_a_picture_before() -> None:
    now = picture()
    now[64:] += 40
    assert torn(now, []) == 0.0 and torn(now, [picture()[:, :80]]) == 0.0


def bad(row: int) -> np.ndarray:
    """A picture with a seam above ``row``."""
    rgb = picture()
    rgb[row:] += 40
    return rgb


def test_a_watch_compares_with_the_last_whole_picture_while_it_is_near() -> None:
    watch = SeamWatch()
    assert watch.judge('front', 0, picture()) is None
    for step, row in ((1, 64), (2, 24), (3, 80), (3, 80)):  # a held frame keeps its verdict
        fault = watch.judge('front', step * STEP_NS, bad(row))
        assert fault is not None and fault.code is Code.IMG_TORN
        assert fault.values['camera'] == 'front' and 'front: 100% of the columns' in fault.message
    assert watch.judge('rear', 3 * STEP_NS, bad(80)) is None
    assert watch.judge('front', 4 * STEP_NS, picture()) is None
    assert watch.judge('front', 5 * STEP_NS, bad(64)) is not None
    watch.reset()
    assert watch.judge('front', 6 * STEP_NS, bad(24)) is None


def test_what_stays_is_the_scene() -> None:
    """As of a lorry that cuts in: one picture is refused, the next one shows it again."""
    watch = SeamWatch()
    watch.judge('front', 0, picture())
    assert watch.judge('front', STEP_NS, bad(64)) is not None
    assert watch.judge('front', 2 * STEP_NS, bad(64)) is None
    assert watch.judge('front', 3 * STEP_NS, bad(64)) is None


def test_after_an_outage_there_is_nothing_to_compare_with() -> None:
    watch = SeamWatch()
    watch.judge('front', 0, picture())
    assert watch.judge('front', 4 * STEP_NS, bad(64)) is None
