"""Puts the sample's way and event-harness through the same cases, on one local AWS emulator."""
