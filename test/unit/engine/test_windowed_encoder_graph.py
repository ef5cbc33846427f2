"""The encoder of a member with windows, exported: as in torch, and built as an engine."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip('torch')

from alpamayo_ros.export.engine_build import Parsed, build, parse, shape_ranges  # noqa: E402
from alpamayo_ros.export.engine_graph import engine_graph  # noqa: E402
from alpamayo_ros.export.export_stages import encoder_graph  # noqa: E402
from alpamayo_ros.faults import Fault  # noqa: E402
from alpamayo_ros.model.tiny import tiny  # noqa: E402
from alpamayo_ros.model.vla import VLA  # noqa: E402
from alpamayo_ros.model.windowed import windowed  # noqa: E402
from alpamayo_ros.profile import load_profile  # noqa: E402
from alpamayo_ros.runtime.tensorrt.library import open_library  # noqa: E402

TOLERANCE = 2e-4  # values are of order 1: float32 in another order of sums
TARGET = '8.9'


@pytest.fixture(scope='module')
def model() -> VLA:
    torch.manual_seed(5)
    variant = windowed(load_profile('alpamayo-0.5b'))
    assert variant is not None
    return VLA(tiny(variant)).eval()


@pytest.fixture(scope='module')
def data(model: VLA) -> bytes:
    return encoder_graph(model).SerializeToString()


@pytest.mark.slow
@torch.no_grad()
def test_features_are_those_of_torch(model: VLA, data: bytes) -> None:
    images = torch.randint(0, 256, (len(model.profile.views), *model.profile.view_size, 3)).byte()
    valid = torch.ones(len(images))
    (ours,) = onnxruntime.InferenceSession(data).run(
        None, {'images': images.numpy(), 'valid': valid.numpy()}
    )
    theirs = model.encode_timestep(images[None], valid[None])[0].numpy()
    np.testing.assert_allclose(ours, theirs, atol=TOLERANCE)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_builds(model: VLA, data: bytes) -> None:
    library = open_library('tensorrt_rtx')
    if isinstance(library, Fault):
        pytest.skip(library.message)
    parsed = parse(library, 'encoder.onnx', engine_graph(data).SerializeToString())
    assert isinstance(parsed, Parsed), parsed
    ranges = shape_ranges(model.profile, 'encoder.onnx', parsed.network)
    engine = build(library, parsed, ranges, TARGET)
    assert isinstance(engine, bytes), engine
