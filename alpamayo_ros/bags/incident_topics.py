"""What an incident holds of a graph: names of topics, as a node of this package would use them."""

from __future__ import annotations

from alpamayo_ros.sensing.rig import Rig

INPUTS = (
    'imu steering/ackermanndrivestamped steering/steeringreport nav_instruction nav_text '
    'prompt_text route objects ground_truth/objects takeover speed_cap acceleration_cap'
).split()
INNER = (
    'nav prompt ego_history frame_set_info candidates reasoning stage_timing health decision'
).split()
PLANS = ('trajectory', 'reference', 'shadow/trajectory', 'shadow/reference')
GRAPH = ('/clock', '/tf', '/tf_static', '/diagnostics', '/rosout')
# Said now and then, and in force from then on.
LASTING = tuple(
    'camera_info /tf_static /route /speed_cap /acceleration_cap /takeover /nav /nav_instruction '
    '/nav_text /prompt /prompt_text'.split()
)


def incident_topics(rig: Rig) -> tuple[str, ...]:
    """Pictures where they are compressed, their calibration, and all that is small."""
    pictures = [c.topic for c in rig.cameras if c.topic.endswith('/compressed')]
    infos = [c.info_topic for c in rig.cameras if c.info_topic]
    return (*pictures, *infos, rig.odometry.topic, *INPUTS, *INNER, *PLANS, *GRAPH)
