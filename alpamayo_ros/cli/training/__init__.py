"""What ``alpamayo train`` does beyond the steps of a recipe."""
