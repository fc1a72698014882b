"""This machine, without AWS: processes, ports, folders, interrupts, progress, the cache."""
