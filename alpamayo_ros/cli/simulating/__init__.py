"""Parts of ``alpamayo sim``: suites, their pages, progress, tables."""
