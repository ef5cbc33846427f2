"""Parts of the node that speaks with Autoware."""
