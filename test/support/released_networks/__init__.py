"""Tiny numbers on which our network and the vendor's are compared."""
