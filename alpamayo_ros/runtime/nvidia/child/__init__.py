"""The vendor's process: it needs numpy, the standard library and what the vendor installs."""
