"""A real recording (six surround cameras, converted to mcap) through the nodes."""

import json

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

import numpy as np
from graph import LISTENED, running
from participant import Participant

from alpamayo_ros.datasets.dgp import convert
from alpamayo_ros.msg import CandidateArray, EgoHistory, FrameSet, FrameSetInfo
from alpamayo_ros.nodes.common.convert import frame_set, ns
from alpamayo_ros.profile import load_profile

pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.timeout(900)]  # other work beside


class Sensing(Participant):
    """Also keeps what the sensing nodes say."""

    def __init__(self, context):
        super().__init__(context)
        self.sets, self.infos, self.histories = [], [], []
        self.read(FrameSet, 'frame_set', self.sets.append)
        self.read(FrameSetInfo, 'frame_set_info', self.infos.append)
        self.read(EgoHistory, 'ego_history', self.histories.append)

    def complete(self, t0_ns):
        streams = (self.sets, self.infos, self.histories)
        here = all(any(ns(m.header.stamp) == t0_ns for m in stream) for stream in streams)
        return here and super().complete(t0_ns)


def test_a_real_recording_goes_through_the_nodes(shared_data, tmp_path, rclpy_context):
    bag = tmp_path / 'converted.mcap'
    scene = convert(shared_data('surround_dgp'), bag)
    stamps = sorted({image.stamp_ns for image in scene.images})
    arguments = ['replay', *LISTENED, '--bag', str(bag)]
    arguments += ['--rig', str(bag.with_suffix('.rig.yaml'))]
    refused = lambda: [r for r in listener.replies if ns(r.header.stamp) in stamps]  # noqa: E731
    listener = Sensing(rclpy_context)
    with running([*arguments, '--runtime', 'scripted'], tmp_path) as graph:
        assert listener.until(lambda: graph.process.poll() is not None), graph.log
    listener.close()
    # every instant of the recording became a frame set, anchored at its capture time
    assert [ns(s.header.stamp) for s in listener.sets] == stamps
    accepted = [i for i in listener.infos if i.accepted]
    assert [ns(i.header.stamp) for i in accepted] == stamps
    assert all(i.view_mask == 0b1111111 and i.max_skew_s < 0.01 for i in accepted)
    # its views are pictures, not black, and differ from instant to instant
    pictures = [frame_set(s, load_profile('nano')).images for s in listener.sets]
    assert pictures[0].shape == (7, 64, 112, 3)
    narrow = 'lost field of view: front 72 deg, rear 35 deg'  # this car's cameras are narrower
    assert narrow in graph.log
    assert all(30 < view.mean() < 225 for view in pictures[0][1:])
    for before, after in zip(*pictures[:2], strict=True):
        assert np.abs(before - after.astype(float)).mean() > 0.1
    # the past motion is known as far as the recording goes back
    known = {ns(h.header.stamp): list(h.valid) for h in listener.histories}
    assert list(known) == stamps
    # (1, then none more: the instants are microseconds less than 0.1 s apart)
    assert [sum(known[t]) for t in stamps] == [1, 1, 2]
    assert 8.0 < listener.histories[-1].speed_mps[0] < 20.0
    # and the model is not asked, for the past that it needs is missing
    for reply in refused():
        assert reply.status == CandidateArray.REFUSED
        assert 'FRAME_HISTORY' in reply.faults
    assert not listener.plans
    assert 'Traceback' not in graph.log
    assert json.dumps(graph.lines).count('FRAME_HISTORY:') >= 1
