"""The ROS 2 nodes: the only place that imports rclpy."""

import gc
import sys

# A node of ``python -m`` is being loaded.  What is imported stays, so no garbage is looked for in
# it: neither now, which is a fifth of the time that imports take, nor later (``loaded``).
if sys.argv[:1] == ['-m']:
    gc.disable()


def loaded() -> None:
    """Everything is imported: from here on garbage is looked for, among what is made now."""
    gc.freeze()
    gc.enable()
