"""A recorded drive evaluated: cut into steps, planned, judged."""
