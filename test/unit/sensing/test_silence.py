"""Silence and rate of a camera: an outage is one fault, not two."""

import pytest
from camera_streams import MS, NS

from alpamayo_ros.faults import Code
from alpamayo_ros.limits import load_limits
from alpamayo_ros.sensing.silence import CameraWatch

PERIOD_NS = 100 * MS


def watched(stamps_ns: list[int]) -> set[Code]:
    """Codes from the first frame after the last pause of a second on."""
    watch = CameraWatch({'front': PERIOD_NS}, ['front'], load_limits())
    found: list[set[Code]] = []
    before = 0
    for stamp_ns in stamps_ns:
        if stamp_ns - before > NS:
            found = []
        before = stamp_ns
        watch.seen('front', stamp_ns, stamp_ns)
        found.append({fault.code for fault in watch.faults(stamp_ns)})
    return set().union(*found)


@pytest.mark.parametrize('outage', [11, 30, 600])
def test_after_an_outage_of_a_camera_its_rate_is_that_of_the_frames_that_come(outage):
    steps = [*range(1, 120), *range(119 + outage, 320 + outage)]
    assert watched([step * PERIOD_NS for step in steps]) == set()


def test_pauses_too_short_for_silence_still_count_as_a_low_rate():
    """Every second and third frame is missing, and then more: DEGRADED, then FALLBACK."""
    steps = [step for step in range(1, 400) if step % 4 < 2]
    assert Code.CAM_RATE_WARN in watched([step * PERIOD_NS for step in steps])
    assert Code.CAM_RATE in watched([step * PERIOD_NS for step in range(1, 400, 3)])
