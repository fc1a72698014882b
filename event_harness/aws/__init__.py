"""Where a system runs: targets, the local AWS emulator and its supervisor, and AWS's error codes."""
