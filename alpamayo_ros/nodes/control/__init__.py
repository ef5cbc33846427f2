"""From a reference to the command of a drive-by-wire."""
