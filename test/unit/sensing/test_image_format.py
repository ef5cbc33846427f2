"""The whole ``format`` of a compressed image decides what its bytes are."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from alpamayo_ros.faults import Code
from alpamayo_ros.sensing.image_format import decode_message, gate_format

SIZE = (64, 48)


@pytest.mark.parametrize(
    'text',
    [
        *('', 'jpeg', 'png', 'jpg', 'bgr8; jpeg compressed bgr8', 'rgb8; png compressed bgr8'),
        *('mono8; jpeg compressed ', 'bayer_rggb8; jpeg compressed bgr8', 'image/jpeg'),
        *('yuv422_yuy2; jpeg compressed bgr8', 'bgra8; png compressed bgr8'),
    ],
)
def test_formats_of_pictures_are_taken(text):
    assert gate_format(text) is None


@pytest.mark.parametrize(
    'text',
    [
        *('bayer_rggb8; png compressed ', 'bayer_grbg8; jpeg compressed', 'bayer_rggb8'),
        *('16UC1; compressedDepth', 'mono16; png compressed mono16', 'mono16; png compressed'),
        'bgr8; png compressed bayer_rggb8',
    ],
)
def test_a_mosaic_and_depth_are_refused(text):
    fault = gate_format(text)
    assert fault is not None and fault.code is Code.IMG_ENCODING
    assert text in fault.message


def test_stored_red_first_is_turned_round():
    rgb = np.full((SIZE[1], SIZE[0], 3), (200, 100, 10), np.uint8)
    data = cv2.imencode('.png', rgb)[1].reshape(-1)  # the encoder takes the first for blue
    message = SimpleNamespace(format='rgb8; png compressed rgb8', data=data)
    assert (decode_message(message, SIZE) == rgb).all()
    message.format = 'rgb8; png compressed bgr8'
    assert (decode_message(message, SIZE) == rgb[..., ::-1]).all()
    message.format = 'bayer_rggb8; png compressed '
    assert decode_message(message, SIZE).code is Code.IMG_ENCODING
