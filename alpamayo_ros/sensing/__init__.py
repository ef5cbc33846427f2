"""From messages to one synchronised, checked frame set and ego history (no ROS here)."""
