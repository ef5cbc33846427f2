"""Messages out of the core's records."""
