"""Camera synchronisation: one set of pictures a timestep."""
