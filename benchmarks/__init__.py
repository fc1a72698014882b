"""Benchmarks: time and memory are measured here, never in tests. `make bench` runs all of them."""
