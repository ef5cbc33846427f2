"""INT8 by symmetric Q/DQ: calibration, the rewritten graphs, and what they have to keep."""
