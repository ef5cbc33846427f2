"""What is kept of an incident: the last minute, each decision as it was taken, and its replay."""
