"""Where a system runs: targets, the local AWS emulator and its supervisor, the errors that AWS answers."""
