"""SROS 2: who may say and hear what, as a policy, and whether a graph may start so; signatures."""
