"""AlpaSim's egodriver contract as a table: messages without generated code.

Fields as in ``egodriver.proto``, ``sensorsim.proto`` and ``common.proto`` of NVlabs/alpasim
(API 0.55), those that a driver needs.  What is not listed passes through unread.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE = 'egodriver.EgodriverService'
REVISION = ('carla-driver-interface-contract', '2')  # rig_to_camera is the optical frame's pose
_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    'str': _FIELD.TYPE_STRING,
    'bytes': _FIELD.TYPE_BYTES,
    'f64': _FIELD.TYPE_DOUBLE,
    'f32': _FIELD.TYPE_FLOAT,
    'u32': _FIELD.TYPE_UINT32,
    'fx64': _FIELD.TYPE_FIXED64,
    'bool': _FIELD.TYPE_BOOL,
    'enum': _FIELD.TYPE_INT32,  # the same on the wire
}
_SENSORS = 'nre.grpc.protos.sensorsim'
# One line a message: `name type number`, `*` repeated, `choice:name` a member of a oneof.
_LENS = (
    'principal_point_x f64 1, principal_point_y f64 2, focal_length_x f64 3, focal_length_y f64 4'
)
COMMON = {
    'Empty': '',
    'SessionRequestStatus': '',
    'Quat': 'w f32 1, x f32 2, y f32 3, z f32 4',
    'Vec3': 'x f32 1, y f32 2, z f32 3',
    'Pose': 'vec Vec3 1, quat Quat 2',
    'DynamicState': 'angular_velocity Vec3 1, linear_velocity Vec3 2, linear_acceleration Vec3 3, '
    'angular_acceleration Vec3 4',
    'PoseAtTime': 'pose Pose 1, timestamp_us fx64 2',
    'Trajectory': 'poses *PoseAtTime 1',
    'VersionId.APIVersion': 'major u32 1, minor u32 2, patch u32 3',
    'VersionId': 'version_id str 1, git_hash str 2, grpc_api_version VersionId.APIVersion 3',
}
SENSORS = {
    'LinearCde': 'linear_c f64 1, linear_d f64 2, linear_e f64 3',
    'FthetaCameraParam': 'principal_point_x f64 1, principal_point_y f64 2, '
    'reference_poly enum 3, pixeldist_to_angle_poly *f64 4, angle_to_pixeldist_poly *f64 5, '
    'max_angle f64 6, linear_cde LinearCde 7',
    'OpenCVPinholeCameraParam': f'{_LENS}, radial_coeffs *f64 5, tangential_coeffs *f64 6, '
    'thin_prism_coeffs *f64 7',
    'OpenCVFisheyeCameraParam': f'{_LENS}, radial_coeffs *f64 5, max_angle f64 6',
    'BivariateWindshieldModelParameters': 'reference_poly enum 1, horizontal_poly *f64 2, '
    'vertical_poly *f64 3, horizontal_poly_inverse *f64 4, vertical_poly_inverse *f64 5',
    'CameraSpec': 'camera_param:ftheta_param FthetaCameraParam 2, '
    'camera_param:opencv_pinhole_param OpenCVPinholeCameraParam 3, '
    'camera_param:opencv_fisheye_param OpenCVFisheyeCameraParam 4, logical_id str 5, '
    'resolution_h u32 7, resolution_w u32 8, shutter_type enum 9, '
    'external_distortion:bivariate_windshield_model_param BivariateWindshieldModelParameters 10',
    'AvailableCamerasReturn.AvailableCamera': 'intrinsics CameraSpec 1, '
    'rig_to_camera .common.Pose 2, logical_id str 3',
    'AvailableCamerasReturn': 'available_cameras *AvailableCamerasReturn.AvailableCamera 1',
}
_CAMERA = f'.{_SENSORS}.AvailableCamerasReturn.AvailableCamera'
EGODRIVER = {
    'Route': 'waypoints *.common.Vec3 1, timestamp_us fx64 2',
    'GroundTruth': 'trajectory .common.Trajectory 1, timestamp_us fx64 2',
    'DriveSessionRequest.RolloutSpec.VehicleDefinition': f'available_cameras *{_CAMERA} 3',
    'DriveSessionRequest.RolloutSpec': 'vehicle '
    'DriveSessionRequest.RolloutSpec.VehicleDefinition 1',
    'DriveSessionRequest.DebugInfo': 'scene_id str 1',
    'DriveSessionRequest': 'session_uuid str 1, random_seed fx64 2, '
    'debug_info DriveSessionRequest.DebugInfo 4, rollout_spec DriveSessionRequest.RolloutSpec 5',
    'DriveSessionCloseRequest': 'session_uuid str 1',
    'RolloutCameraImage.CameraImage': 'frame_start_us fx64 2, frame_end_us fx64 3, '
    'image_bytes bytes 4, logical_id str 5',
    'RolloutCameraImage': 'session_uuid str 1, camera_image RolloutCameraImage.CameraImage 3',
    'RolloutEgoTrajectory': 'session_uuid str 1, trajectory .common.Trajectory 3, '
    'dynamic_states *.common.DynamicState 5',
    'RouteRequest': 'session_uuid str 1, route Route 3',
    'GroundTruthRequest': 'session_uuid str 1, ground_truth GroundTruth 2',
    'DriveRequest': 'session_uuid str 1, time_now_us fx64 3, time_query_us fx64 4, '
    'renderer_data bytes 5',
    'DriveResponse.DebugInfo': 'unstructured_debug_info bytes 1, '
    'sampled_trajectories *.common.Trajectory 2',
    'DriveResponse': 'trajectory .common.Trajectory 2, debug_info DriveResponse.DebugInfo 3, '
    'terminate_session bool 4',
}
CALLS = {  # name: (request, reply)
    'get_version': ('.common.Empty', '.common.VersionId'),
    'start_session': ('DriveSessionRequest', '.common.SessionRequestStatus'),
    'close_session': ('DriveSessionCloseRequest', '.common.Empty'),
    'submit_image_observation': ('RolloutCameraImage', '.common.Empty'),
    'submit_egomotion_observation': ('RolloutEgoTrajectory', '.common.Empty'),
    'submit_route': ('RouteRequest', '.common.Empty'),
    'submit_recording_ground_truth': ('GroundTruthRequest', '.common.Empty'),
    'drive': ('DriveRequest', 'DriveResponse'),
}


def _field(message: Any, text: str, package: str) -> None:
    """Add the field that ``text`` describes to a message."""
    label, kind, number = text.split()
    choice, _, name = label.rpartition(':')
    repeated, kind = kind.startswith('*'), kind.lstrip('*')
    found = message.field.add(name=name, number=int(number))
    found.label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
    if kind in _SCALARS:
        found.type = _SCALARS[kind]
    else:
        found.type = _FIELD.TYPE_MESSAGE
        found.type_name = kind if kind.startswith('.') else f'.{package}.{kind}'
    if choice:
        known = [one.name for one in message.oneof_decl]
        if choice not in known:
            message.oneof_decl.add(name=choice)
        found.oneof_index = [*known, choice].index(choice)


def _file(name: str, package: str, table: dict[str, str], needs: tuple[str, ...] = ()) -> Any:
    """A file of messages; nested ones stand in the table by their full name."""
    made = descriptor_pb2.FileDescriptorProto(
        name=name, package=package, syntax='proto3', dependency=needs
    )
    places: dict[str, Any] = {}
    for full in sorted(table, key=lambda key: key.count('.')):
        outer, _, short = full.rpartition('.')
        inside = places[outer].nested_type if outer else made.message_type
        places[full] = inside.add(name=short)
        for text in filter(None, table[full].split(', ')):
            _field(places[full], text, package)
    return made


def _pool() -> descriptor_pool.DescriptorPool:
    """All messages, apart from any that were generated elsewhere in the process."""
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_file('common', 'common', COMMON))
    pool.Add(_file('sensorsim', _SENSORS, SENSORS, ('common',)))
    pool.Add(_file('egodriver', 'egodriver', EGODRIVER, ('common', 'sensorsim')))
    return pool


_MESSAGES = _pool()


def message(name: str) -> Any:
    """Class of a message of ``egodriver``, or of another package where it begins with a dot."""
    full = name[1:] if name.startswith('.') else f'egodriver.{name}'
    return message_factory.GetMessageClass(_MESSAGES.FindMessageTypeByName(full))
