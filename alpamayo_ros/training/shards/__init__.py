"""Shards of samples on disk: whether they are whole, and what is in them."""
