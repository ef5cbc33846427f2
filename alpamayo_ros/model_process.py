"""Entry of the model's own process: here it meets what it runs, ``pipeline.propose``.

``python -m alpamayo_ros.model_process SOCKET_FD MEMORY_FD PARENT_PID``
"""

from __future__ import annotations

import sys

from alpamayo_ros.pipeline import propose
from alpamayo_ros.runtime.process.serve import main

if __name__ == '__main__':
    sys.exit(main(propose))
