"""The driving model in plain torch, a layer a file."""
