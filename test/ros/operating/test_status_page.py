"""What ``alpamayo status`` makes of the driver's Health; no graph is started."""

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: ./run setup or source ROS 2')

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.msg import Health
from alpamayo_ros.nodes.operating.status_record import line, page, status_of


def test_the_loss_of_all_cameras_is_one_cause_in_the_status():
    """As in a replay: what follows stands below it, and the record keeps everything."""
    health = Health(state=Health.FALLBACK, severities=[Health.ERROR, Health.ERROR, Health.WARN])
    health.faults = ['CAM_MANDATORY_LOST', 'CAMS_LOST', 'CAM_LOST']
    health.messages = [str(Fault(Code[name])) for name in health.faults]
    other, text = 'PLAN_STALE', 'PLAN_STALE: of another text.'
    health.faults = [*health.faults, other, other]
    health.messages = [*health.messages, str(Fault(Code[other])), text]
    health.severities = [*health.severities, Health.WARN, Health.WARN]
    found = status_of(health, health, '')
    assert [(f['code'], f['cause']) for f in found.faults] == [
        ('CAMS_LOST', ''), ('CAM_LOST', 'CAMS_LOST'), ('CAM_MANDATORY_LOST', 'CAMS_LOST'),
        (other, ''), (other, ''),
    ]  # fmt: skip
    shown = page(found).splitlines()[-5:]
    assert [row.split(':')[0].split()[:3] for row in shown[:3]] == [
        ['ERROR', 'CAMS_LOST'], ['of', 'CAMS_LOST'], ['of', 'CAMS_LOST']
    ]  # fmt: skip
    assert shown[4] == f'WARN       {text}'
    assert line(found).endswith(f'  CAMS_LOST (CAM_LOST, CAM_MANDATORY_LOST), {other}')
