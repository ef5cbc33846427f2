"""What the nodes may be told by a parameter file: declared, bounded and checked without ROS."""
