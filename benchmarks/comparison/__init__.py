"""Puts the sample's way and event-harness through the same cases, on one embedded AWS."""
