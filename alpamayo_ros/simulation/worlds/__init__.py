"""Worlds that move: traffic, signals, people and the ego in them."""
