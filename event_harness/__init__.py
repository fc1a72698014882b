"""Test event-driven systems on AWS: an ephemeral deployment, a listener, errors that explain themselves."""
