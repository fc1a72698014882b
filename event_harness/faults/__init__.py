"""The fixture `faults`: faults on purpose, in services and functions of the local AWS emulator."""
