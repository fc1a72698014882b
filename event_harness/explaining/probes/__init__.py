"""Probes: each asks one kind of component about one input, with a few calls that only read."""
