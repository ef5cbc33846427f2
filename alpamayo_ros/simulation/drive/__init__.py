"""One closed-loop drive: planner, senses, measurements, verdict."""
