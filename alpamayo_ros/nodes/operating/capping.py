"""Lower the speed and the acceleration that the running driver may plan with."""

from __future__ import annotations

import sys

from std_msgs.msg import Float32

from alpamayo_ros.nodes.operating.outsider import Outsider
from alpamayo_ros.nodes.operating.status import Listening

TOLERANCE_MPS = 1e-3  # of 32-bit floats at 60 m/s


def cap(outsider: Outsider, speed_mps: float | None, acceleration_mps2: float | None) -> int:
    """Publish what is given and wait until the driver has it; 1 where Health says otherwise."""
    wanted = {'speed_cap': speed_mps, 'acceleration_cap': acceleration_mps2}
    for topic, value in wanted.items():
        if value is not None:
            outsider.tell(topic, Float32(data=float(value)))
    listening = Listening(outsider)
    listening.first()

    def holds() -> bool:
        now_mps = listening.now().speed_cap_mps
        return speed_mps is None or (now_mps or 0.0) <= speed_mps + TOLERANCE_MPS

    taken = outsider.until(holds)
    said = f'the driver plans with at most {listening.now().speed_cap_mps} m/s'
    also = '' if acceleration_mps2 is None else f'; {acceleration_mps2:g} m/s2 was sent'
    print(f'cap: {said}{also}', file=sys.stdout if taken else sys.stderr)
    return 0 if taken else 1
