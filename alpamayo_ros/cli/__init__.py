"""The alpamayo command-line tool."""
