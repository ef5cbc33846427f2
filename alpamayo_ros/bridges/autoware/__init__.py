"""Autoware: our plans in its words, its permission to drive, and its route as an instruction."""
