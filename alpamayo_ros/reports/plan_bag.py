"""``plans.mcap`` of a recording: standard messages under the names of the live graph.

RViz (rviz/alpamayo.rviz) and Foxglove (config/foxglove/alpamayo.json) show it.  Messages are
recorded in ROS time, in its order.  Two names differ from the live graph, whose messages of that
name have types of their own: the words are a String, and every plotted number a Float64 under
``plot/``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alpamayo_ros.bags.show_writer import ShowBag
from alpamayo_ros.recording.recording import IMAGES, Recording
from alpamayo_ros.recording.timeline import count, in_order, when
from alpamayo_ros.reports.plan_messages import NAMESPACE, PlanMessages
from alpamayo_ros.reports.shots import rig_of

NAME = 'plans.mcap'
PLOTS = (
    'plan_age_ms',
    'cycle_ms',
    'planned_speed_mps',
    'acceleration_mps2',
    'steering_rad',
    'agreement',
)
TOPICS = {  # of every bag; cameras come besides
    '/tf': 'tf2_msgs/msg/TFMessage',
    '/tf_static': 'tf2_msgs/msg/TFMessage',
    '/rosout': 'rcl_interfaces/msg/Log',
    '/diagnostics': 'diagnostic_msgs/msg/DiagnosticArray',
    f'{NAMESPACE}/odometry': 'nav_msgs/msg/Odometry',
    f'{NAMESPACE}/route': 'nav_msgs/msg/Path',
    f'{NAMESPACE}/path': 'nav_msgs/msg/Path',
    f'{NAMESPACE}/overlay': 'sensor_msgs/msg/Image',
    f'{NAMESPACE}/markers': 'visualization_msgs/msg/MarkerArray',
    f'{NAMESPACE}/reasoning_markers': 'visualization_msgs/msg/MarkerArray',
    f'{NAMESPACE}/state_markers': 'visualization_msgs/msg/MarkerArray',
    f'{NAMESPACE}/reasoning_text': 'std_msgs/msg/String',
    **{f'{NAMESPACE}/plot/{name}': 'std_msgs/msg/Float64' for name in PLOTS},
}


def write(
    recording: Recording, path: Path, tick: Callable[[float], None] = lambda share: None
) -> dict[str, int]:
    """Write ``path`` (.mcap); how many messages each topic has.  ``tick`` hears the share done."""
    rig = rig_of(recording)
    with ShowBag(path, 'zstd') as bag:
        messages = PlanMessages(bag, recording, rig)
        with (recording.folder / IMAGES).open('rb') as pictures:
            messages.pictures = pictures
            messages.begin()
            _write(messages, recording, tick)
        info = recording.info
        bag.note({'origin': 'plans', 'source': f'{info.scenario}, {info.runtime}'})
        return dict(bag.counts)


def _write(messages: PlanMessages, recording: Recording, tick: Callable[[float], None]) -> None:
    """Every event in the order of ROS time."""
    writers = messages.kinds()
    total = count(recording, tuple(writers))
    for done, event in enumerate(in_order(recording, tuple(writers))):
        writers[type(event)](event, when(event))
        if done % 500 == 0:
            tick(done / total)
    tick(1.0)
