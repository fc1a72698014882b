"""The `Listener`: waits, expectations, matching, readiness."""
