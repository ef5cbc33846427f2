"""Road networks that a drive can take place on."""
