"""The commands of `event-harness`, one module for each group."""
