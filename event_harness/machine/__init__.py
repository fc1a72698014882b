"""Processes, ports, folders, interrupts, progress, the cache: this machine, and nothing of AWS."""
