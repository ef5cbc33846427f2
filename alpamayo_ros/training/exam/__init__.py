"""States that a run held out, put to any weights."""
