"""Commands that speak to a running graph."""
