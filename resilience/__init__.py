"""Resilience tests: guarantees under failure that take long to show. `make resilience` runs them all."""
