"""The model's own process: channel, child, worker."""
