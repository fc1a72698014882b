"""The paths that the front of the local AWS emulator answers itself, asked with the key of the root user."""

FAULTS = "/_event_harness/faults"
MEMORY = "/_event_harness/memory"
