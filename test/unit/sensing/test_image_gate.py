"""Only sound images of the agreed size reach a decoder."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.sensing.image_gate import decode_compressed, decode_raw, gate_compressed

W, H = 96, 64
SIZE = (W, H)


def picture() -> np.ndarray:
    y, x = np.mgrid[0:H, 0:W]
    return np.stack([x * 2, y * 3, (x + y)], axis=2).astype(np.uint8)


def jpeg(image=None, *flags: int) -> bytes:
    return cv2.imencode('.jpg', picture()[:, :, ::-1] if image is None else image, flags)[
        1
    ].tobytes()


def png(image=None) -> bytes:
    return cv2.imencode('.png', picture()[:, :, ::-1] if image is None else image)[1].tobytes()


def chunk(kind: bytes, data: bytes) -> bytes:
    crc = zlib.crc32(kind + data)
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', crc)


def with_sof(data: bytes, width: int, height: int) -> bytes:
    at = data.index(b'\xff\xc0')
    return data[: at + 5] + struct.pack('>HH', height, width) + data[at + 9 :]


def test_colours_come_out_as_rgb():
    assert np.abs(decode_compressed(jpeg(), SIZE).astype(int) - picture()).max() < 12
    assert (decode_compressed(png(), SIZE) == picture()).all()


@pytest.mark.parametrize('reduction', [2, 4, 8])
@pytest.mark.parametrize('encode', [jpeg, png])
def test_a_reduced_image_of_odd_size_keeps_its_last_row_and_column(encode, reduction):
    odd = np.repeat(np.arange(0, 37, dtype=np.uint8)[:, None, None], 61, axis=1) * 6
    odd = np.repeat(odd, 3, axis=2)
    image = decode_compressed(encode(odd), (61, 37), reduction)
    assert image.shape == (-(-37 // reduction), -(-61 // reduction), 3)
    assert abs(int(image[-1].mean()) - 216) < 6 * reduction


@pytest.mark.parametrize('factor', [2, 4, 8])
def test_reduced_decoding(factor):
    out = decode_compressed(jpeg(), SIZE, factor)
    assert out.shape == (H // factor, W // factor, 3)
    mean = picture().reshape(H // factor, factor, W // factor, factor, 3).mean(axis=(1, 3))
    assert np.abs(out - mean).max() < 12


@pytest.mark.parametrize(
    'data',
    [
        jpeg(),
        jpeg(None, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        jpeg(None, cv2.IMWRITE_JPEG_RST_INTERVAL, 4),
        jpeg(picture()[:, :, 0]),
        jpeg(np.zeros((H, W, 3), np.uint8)),
        jpeg() + bytes(16),
        jpeg()[:2] + b'\xff' * 3 + jpeg()[2:],
        png(),
        png(picture()[:, :, 0]),
        png(np.dstack([picture(), picture()[:, :, :1]])),
    ],
    ids='baseline progressive restarts grey black zeros fill png png-grey png-rgba'.split(),
)
def test_sound_images_pass(data):
    assert gate_compressed(data, SIZE) is None
    assert gate_compressed(memoryview(data), SIZE) is None
    assert decode_compressed(data, SIZE).shape == (H, W, 3)


@pytest.mark.parametrize(
    ('data', 'code'),
    [
        (b'', Code.IMG_ENCODING),
        (b'GIF89a' + bytes(50), Code.IMG_ENCODING),
        (jpeg()[:-2], Code.IMG_TRUNCATED),
        (jpeg()[:20], Code.IMG_HEADER),
        (jpeg() + b'junk', Code.IMG_TRUNCATED),
        (jpeg()[:-20] + bytes(20), Code.IMG_TRUNCATED),
        (jpeg()[:2] + b'\xff' * 300 + jpeg()[2:], Code.IMG_HEADER),
        (with_sof(jpeg(), W + 1, H), Code.IMG_TOO_LARGE),
        (with_sof(jpeg(), W, H - 1), Code.IMG_SIZE),
        (jpeg().replace(b'\xff\xc0', b'\xff\xc3', 1), Code.IMG_ENCODING),
        (jpeg().replace(b'\xff\xc0', b'\xff\xfe', 1), Code.IMG_HEADER),
        (jpeg()[:2] + b'\xff\xe1\x00\x01' + jpeg()[2:], Code.IMG_HEADER),
        (jpeg()[:2] + b'\xff\xfe\x00\x02' * 300 + jpeg()[2:], Code.IMG_HEADER),
        (jpeg() + bytes(W * H * 4 + 65536), Code.IMG_SIZE),
        (png()[:-5], Code.IMG_TRUNCATED),
        (png()[:-12], Code.IMG_TRUNCATED),
        (png() + b'x', Code.IMG_HEADER),
        (png()[:60] + b'\x00' + png()[61:], Code.IMG_HEADER),
        (png(np.zeros((H * 2, W, 3), np.uint8)), Code.IMG_TOO_LARGE),
        (png(picture().astype(np.uint16) * 256), Code.IMG_ENCODING),
        (png()[:8] + chunk(b'IHDR', bytes(12)) + chunk(b'IEND', b''), Code.IMG_HEADER),
    ],
)
def test_what_is_refused_and_by_which_name(data, code):
    fault = gate_compressed(data, SIZE)
    assert isinstance(fault, Fault)
    assert fault.code is code


@pytest.mark.parametrize('start', [b'\0\0\0\1\x67', b'\0\0\1\x40'])
def test_a_piece_of_video_is_called_so(start):
    fault = gate_compressed(start + bytes(99), (64, 64))
    assert fault.code is Code.IMG_ENCODING and 'H.264 or H.265 video' in fault.message


def test_exif_orientation_does_not_turn_the_image():
    tiff = b'II*\0' + struct.pack('<IHHHIII', 8, 1, 0x0112, 3, 1, 6, 0)
    exif = b'Exif\0\0' + tiff
    data = jpeg()[:2] + b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif + jpeg()[2:]
    assert (decode_compressed(data, SIZE) == decode_compressed(jpeg(), SIZE)).all()


def test_what_the_decoder_refuses_is_a_fault_too(monkeypatch):
    table = jpeg().index(b'\xff\xc4') + 5
    broken = jpeg()[:table] + b'\xff' * 16 + jpeg()[table + 16 :]
    assert decode_compressed(broken, SIZE).code is Code.IMG_DECODE
    monkeypatch.setattr(cv2, 'imdecode', lambda *_: None)
    assert decode_compressed(png(), SIZE).code is Code.IMG_DECODE


def test_rows_may_be_padded():
    rows = np.zeros((H, W * 3 + 8), np.uint8)
    rows[:, : W * 3] = picture().reshape(H, W * 3)
    out = decode_raw('rgb8', W, H, W * 3 + 8, rows.tobytes(), SIZE)
    assert (out == picture()).all()
