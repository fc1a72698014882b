"""Test event-driven systems on AWS: an ephemeral deployment, a listener, and errors that explain themselves."""
