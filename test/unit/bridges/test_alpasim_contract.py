"""The table of AlpaSim's contract: bytes on the wire, and every field of a public peer."""

from __future__ import annotations

import struct

import pytest
from google.protobuf.message import DecodeError

from alpamayo_ros.bridges.alpasim import contract
from alpamayo_ros.bridges.alpasim.contract import message


def test_bytes_are_those_of_the_numbers_in_the_table():
    made = message('DriveRequest')(session_uuid='a', time_now_us=7, time_query_us=8)
    fixed = b'\x19' + struct.pack('<Q', 7) + b'\x21' + struct.pack('<Q', 8)
    assert made.SerializeToString(deterministic=True) == b'\x0a\x01a' + fixed
    pose = message('.common.PoseAtTime')(timestamp_us=1)
    pose.pose.quat.w = 1.0
    inner = b'\x12\x05\x0d' + struct.pack('<f', 1.0)
    wanted = b'\x0a' + bytes([len(inner)]) + inner + b'\x11' + struct.pack('<Q', 1)
    assert pose.SerializeToString(deterministic=True) == wanted


def test_unknown_fields_pass_and_a_cut_message_is_refused():
    data = message('DriveRequest')(session_uuid='abc').SerializeToString()
    assert message('DriveRequest').FromString(data + b'\x9a\x06\x01x').session_uuid == 'abc'
    with pytest.raises(DecodeError):
        message('DriveRequest').FromString(data[:-1])


def test_one_camera_model_at_a_time():
    spec = message('.nre.grpc.protos.sensorsim.CameraSpec')()
    spec.ftheta_param.max_angle = 1.0
    spec.opencv_pinhole_param.focal_length_x = 5.0
    assert spec.WhichOneof('camera_param') == 'opencv_pinhole_param'


def fields(descriptor):
    """Number, type, repetition, choice and message of every field."""
    out = {}
    for field in descriptor.fields:
        kind = field.TYPE_INT32 if field.type == field.TYPE_ENUM else field.type
        inner = field.message_type.full_name if field.message_type else ''
        choice = field.containing_oneof.name if field.containing_oneof else ''
        choice = '' if choice.startswith('_') else choice  # how proto3 marks an optional field
        out[field.name] = (field.number, kind, field.is_repeated, choice, inner)
    return out


def test_every_field_is_that_of_a_public_peer():
    peer = pytest.importorskip(
        'carla_driver_interface.protocol', reason='carla-driver-interface is not installed'
    )
    modules = {
        'common': peer.common_pb2, 'nre.grpc.protos.sensorsim': peer.sensorsim_pb2,
        'egodriver': peer.egodriver_pb2,
    }  # fmt: skip
    tables = (contract.COMMON, contract.SENSORS, contract.EGODRIVER)
    count = 0
    for (package, module), table in zip(modules.items(), tables, strict=True):
        for name in table:
            theirs = module.DESCRIPTOR.pool.FindMessageTypeByName(f'{package}.{name}')
            ours = fields(message(f'.{package}.{name}').DESCRIPTOR)
            known = fields(theirs)
            assert ours == {key: known[key] for key in ours}, name
            count += len(ours)
    assert count >= 90
    service = peer.egodriver_pb2.DESCRIPTOR.services_by_name['EgodriverService']
    assert service.full_name == contract.SERVICE
    found = {m.name: (m.input_type.full_name, m.output_type.full_name) for m in service.methods}
    wanted = {
        name: tuple(message(one).DESCRIPTOR.full_name for one in pair)
        for name, pair in contract.CALLS.items()
    }
    assert wanted.items() <= found.items()
