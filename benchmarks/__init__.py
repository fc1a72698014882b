"""Benchmarks: what takes time or memory is measured here, never in tests. `make bench` runs them all."""
