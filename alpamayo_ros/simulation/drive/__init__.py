"""One closed-loop drive: planner, sensors, measurements, verdict."""
