"""Bags on disk: mcap and sqlite3, read, written, checked for damage, recovered."""
