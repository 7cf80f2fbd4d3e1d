"""Nodes to talk to: the scripted one for tests, demos and benchmarks, and the small real one that `serve` starts."""
