"""Cause before consequence: one rule, and nothing that stands for itself is hidden by it."""

import pytest
from shipped import limits

from alpamayo_ros.causes import CAUSES, chains, told, upstream, values_in
from alpamayo_ros.faults import Code, Fault, Reaction
from alpamayo_ros.sensing.silence import CameraWatch

LIMITS = limits()


def names(faults: list[Fault]) -> list[tuple[str, tuple[str, ...]]]:
    return [(chain.cause.code.name, chain.names) for chain in chains(faults)]


@pytest.mark.parametrize(
    ('present', 'expected'),
    [
        ('ODOM_GAP ODOM_FRAME', [('ODOM_FRAME', ('ODOM_GAP',))]),
        ('MODEL_LATE EGO_HISTORY ODOM_FRAME', [('ODOM_FRAME', ('EGO_HISTORY', 'MODEL_LATE'))]),
        ('CAM_LOST SET_INCOMPLETE CAM_IDENTITY', None),
        ('CAMS_LOST IMG_ENCODING FRAME_HISTORY', None),
        ('NODE_SILENT NODE_LOST', [('NODE_LOST', ('NODE_SILENT',))]),
        ('MODEL_ABSENT MODEL_HASH MODEL_LATE', [('MODEL_HASH', ('MODEL_ABSENT', 'MODEL_LATE'))]),
        ('PLAN_REJECTED', [('PLAN_REJECTED', ())]),
        ('', []),
    ],
)
def test_the_first_fault_of_the_chain_comes_first(present, expected) -> None:
    faults = [Fault(Code[name]) for name in present.split()]
    found = names(faults)
    if expected is None:  # the cause is the one that nothing else leads to
        assert len(found) == 1 and len(found[0][1]) == 2
        assert found[0][0] in ('CAM_IDENTITY', 'IMG_ENCODING')
    else:
        assert found == expected


def test_an_independent_second_fault_stands_beside_the_first() -> None:
    both = [Fault(Code[n]) for n in ('ODOM_GAP', 'ODOM_FRAME', 'CAM_MANDATORY_LOST', 'SKEW_WARN')]
    assert [cause for cause, _ in names(both)] == ['CAM_MANDATORY_LOST', 'ODOM_FRAME', 'SKEW_WARN']


def test_a_fault_of_one_camera_explains_nothing_of_another() -> None:
    identity = Fault(Code.CAM_IDENTITY, 'rear: expected.', {'camera': 'rear'})
    lost = Fault(Code.CAM_MANDATORY_LOST, 'front silent.', {'camera': 'front'})
    assert names([identity, lost]) == [('CAM_MANDATORY_LOST', ()), ('CAM_IDENTITY', ())]
    same = Fault(Code.CAM_MANDATORY_LOST, 'rear silent.', {'camera': 'rear'})
    assert names([same, identity]) == [('CAM_IDENTITY', ('CAM_MANDATORY_LOST',))]
    assert len(chains([lost, same, identity])) == 2


def test_the_loss_of_each_camera_is_told_below_the_loss_of_all() -> None:
    watch = CameraWatch(dict.fromkeys(('front', 'rear', 'left'), 10**8), ['front'], LIMITS)
    watch.reset(0)
    watch.seen('left', 10**9, 10**9)
    faults = watch.faults(10**9)
    assert {f.code.name for f in faults} == {'CAM_LOST', 'CAM_MANDATORY_LOST', 'CAMS_LOST'}
    assert names(faults) == [('CAMS_LOST', ('CAM_LOST', 'CAM_MANDATORY_LOST'))]
    assert 'cameras=front, rear' in str(chains(faults)[0].cause)
    assert max(f.reaction for f in faults) is chains(faults)[0].cause.reaction is Reaction.FALLBACK
    other = Fault(Code.CAM_MANDATORY_LOST, 'left may not be masked.', {'camera': 'left'})
    assert [cause for cause, _ in names([*faults, other])] == ['CAM_MANDATORY_LOST', 'CAMS_LOST']
    assert len(chains([faults[-1], Fault(Code.CAM_LOST)])) == 2  # which camera is not known
    assert len(chains([Fault(Code.CAMS_LOST), *faults[:-1]])) == 3  # nor here, of which it speaks


def test_codes_alone_as_messages_carry_them_are_one_loss() -> None:
    """Whoever says CAMS_LOST counts every camera that is silent."""
    alone = [Fault(code) for code in (Code.CAM_MANDATORY_LOST, Code.CAM_LOST, Code.CAMS_LOST)]
    assert names(alone) == [('CAMS_LOST', ('CAM_LOST', 'CAM_MANDATORY_LOST'))]
    texts = {f.code.name: str(f) for f in alone}
    assert told(texts) == [('CAMS_LOST', texts['CAMS_LOST'], ('CAM_LOST', 'CAM_MANDATORY_LOST'))]


def test_cameras_that_a_text_names_are_read_out_of_it() -> None:
    values = {'count': 2.0, 'cameras': 'front, rear'}
    lost, left = (
        Fault(Code.CAMS_LOST, values=values),
        Fault(Code.CAM_LOST, 'left (far) silent.', {'camera': 'left', 'periods': 3.5}),
    )
    assert values_in(str(lost)) == {'count': '2', 'cameras': 'front, rear'}
    assert values_in(str(left)) == {'camera': 'left', 'periods': '3.5'}
    assert values_in(str(Fault(Code.CAMS_LOST))) == values_in('a (text)') == {}
    texts = {f.code.name: str(f) for f in (lost, left)}
    assert [code for code, _, _ in told(texts)] == ['CAMS_LOST', 'CAM_LOST']


def test_every_fault_is_named_exactly_once_whatever_is_present() -> None:
    everything = [Fault(code) for code in Code]
    found = chains(everything)
    named = [f.code for c in found for f in (c.cause, *c.consequences)]
    assert sorted(named, key=list(Code).index) == list(Code)


def test_nothing_causes_itself_and_consequences_can_be_mended_by_their_cause() -> None:
    for code in CAUSES:
        assert code not in upstream(code)


def test_the_sentence_holds_values_remedy_and_what_follows() -> None:
    frame = Fault(Code.ODOM_FRAME, "expected 'map', got 'odom'.", {'norm': 0.0})
    text = str(chains([Fault(Code.ODOM_GAP), frame])[0])
    assert text.startswith('ODOM_FRAME: ') and "expected 'map', got 'odom'." in text
    assert Code.ODOM_FRAME.remedy in text and text.endswith('there is ODOM_GAP.')


def test_faults_that_came_as_text_keep_their_texts_and_none_is_lost() -> None:
    texts = {'ODOM_GAP': 'odometry missing', 'ODOM_FRAME': 'got odom', 'OF_ANOTHER_RELEASE': 'x'}
    assert told(texts) == [
        ('ODOM_FRAME', 'got odom', ('ODOM_GAP',)),
        ('OF_ANOTHER_RELEASE', 'x', ()),
    ]
    assert told({'CAM_IDENTITY': ''})[0][1] == str(Fault(Code.CAM_IDENTITY))
