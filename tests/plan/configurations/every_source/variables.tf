# This configuration has no variables.
