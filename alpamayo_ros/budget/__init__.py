"""The cycle on paper: work of each stage from a profile's shapes, and its time on a device."""
