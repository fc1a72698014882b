"""Resilience tests: guarantees of the failure side that take long to show. `make resilience` runs them all."""
