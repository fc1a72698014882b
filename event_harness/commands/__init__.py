"""What each command of `event-harness` does, one module for each group of commands."""
