"""``alpamayo view``: a drive, or the running graph, in a browser; rerun-sdk draws."""
