"""Other projects' contracts, answered by this package."""
