"""One recorded run on disk: its events, its decisions, its time line."""
