"""Parts of ``alpamayo model``."""
