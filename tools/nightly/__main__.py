"""What takes minutes to hours, on real graphs: ``./run nightly kills | soak | starve``.

    ./run nightly kills --rounds 30      kill -9 of every node, 30 times each
    ./run nightly soak --minutes 10      memory, files and shared memory while a graph drives
    ./run nightly starve --loops 4       ages of plans beside busy loops, and after them

Each writes its figures as JSON and ends with status 1 where a bar is missed.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from alpamayo_ros import environment

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """ROS is imported once the environment is what it needs."""
    environment.apply()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a graph that was started ends too
    sys.path.insert(0, str(ROOT / 'test' / 'support'))
    from commands import app

    app()


if __name__ == '__main__':
    main()
