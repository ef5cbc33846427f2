"""Many drives: suites, worker processes, a journal to go on from."""
