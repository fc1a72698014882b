"""Drills: promises of the failure side that take long to show. `make drill` runs them all."""
