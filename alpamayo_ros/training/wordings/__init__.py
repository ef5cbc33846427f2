"""The stage ``wordings``: other words for the same wish, and the same drive."""
