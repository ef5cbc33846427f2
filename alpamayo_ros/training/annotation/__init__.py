"""Words of version 2 from the simulator's truth: what is seen, what binds, what else would be."""
