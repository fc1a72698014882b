"""Runs the same cases with the sample's poll loop and with event-harness, on one local AWS emulator."""
