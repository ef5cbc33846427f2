"""What ``alpamayo bench`` measures, a stage a file."""
