"""Embedded, headless, deterministic simulator: traffic, six cameras, a bicycle ego."""
