"""The documentation site: collects its pages, generates the reference, and writes the configuration."""
