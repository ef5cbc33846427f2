"""``alpamayo echo`` and ``hz`` of a topic whose publisher ends, and comes back."""

from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from alpamayo_ros.nodes.operating import streams

pytestmark = pytest.mark.ros
END = SimpleNamespace(endpoint_gid=bytes(16))
ENDED = '/alpamayo/health has no publisher any more'
BACK = '/alpamayo/health is published again'


class Graph:
    """Publishers look by look; a message at each, or Ctrl-C after the last."""

    def __init__(self, monkeypatch, looks):
        self.looks, self.patience_s, self.node = iter(looks), 60.0, self
        monkeypatch.setattr(streams, 'LOOK_S', 0.0)

    def full(self, topic):
        return f'/alpamayo/{topic}'

    def subscribe(self, topic, heard, raw=False):
        self.heard = heard

    def get_publishers_info_by_topic(self, topic):
        return [END] * self.there

    def spin(self, slice_s=0.1):
        self.there = next(self.looks, None)
        if self.there is None:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    'ask', [lambda g: streams.echo(g, 'health', 0, False), lambda g: streams.hz(g, 'health', 0, 5)]
)
def test_it_is_said_once_that_nobody_publishes_and_once_that_somebody_does(
    ask, capsys, monkeypatch
):
    with pytest.raises(KeyboardInterrupt):
        ask(Graph(monkeypatch, [1, 1, 0, 0, 0, 1, 1]))
    said = capsys.readouterr().err
    assert said.count(ENDED) == said.count(BACK) == 1 and said.index(ENDED) < said.index(BACK)
    with pytest.raises(KeyboardInterrupt):
        ask(Graph(monkeypatch, [1, 2, 1]))
    assert capsys.readouterr().err == ''
