"""The definitions that a bag carries, parsed one by one instead of all at once."""

import pytest
from rosbags.typesys import get_types_from_msg

from alpamayo_ros.bags.bag import typestore
from alpamayo_ros.bags.parts import Topic
from alpamayo_ros.bags.schema import NEXT, agree

STORE = typestore()
KINDS = ('nav_msgs/msg/Odometry', 'alpamayo_ros/msg/PlannedTrajectory', 'tf2_msgs/msg/TFMessage')


def topic(kind: str, text: str) -> Topic:
    return Topic('/x', kind, text)


@pytest.mark.parametrize('kind', KINDS)
def test_one_by_one_is_as_all_at_once(kind):
    text, _ = STORE.generate_msgdef(kind, ros_version=2)
    assert NEXT.search(text)
    assert agree(topic(kind, text), STORE) == ''
    fresh = f'mine/msg/{kind.rpartition("/")[2]}'
    assert agree(topic(fresh, text), STORE) == ''
    assert STORE.fielddefs[fresh] == get_types_from_msg(text, fresh)[fresh]


@pytest.mark.parametrize('kind', KINDS)
def test_another_field_in_any_of_them_is_seen(kind):
    text, _ = STORE.generate_msgdef(kind, ros_version=2)
    parts = NEXT.split(text)
    for name, body in zip([kind, *parts[1::2]], parts[::2], strict=True):
        changed = agree(topic(kind, text.replace(body, f'{body.rstrip()}\nint8 more\n')), STORE)
        assert 'was recorded with other fields' in changed, name
    assert 'cannot be read' in agree(topic(kind, text + '\nfloat64 ?'), STORE)


def test_what_one_bag_adds_no_other_store_knows():
    text, _ = STORE.generate_msgdef('nav_msgs/msg/Odometry', ros_version=2)
    one, other = typestore(), typestore()
    assert agree(topic('mine/msg/Seen', text), one) == ''
    assert agree(topic('mine/msg/Seen', 'int8 less'), other) == ''
    assert one.get_msgdef('mine/msg/Seen') is not other.get_msgdef('mine/msg/Seen')
    kind = 'nav_msgs/msg/Odometry'
    assert one.get_msgdef(kind) is other.get_msgdef(kind)
