"""Looking into the functions while they run on the local AWS emulator: debugger and coverage."""
