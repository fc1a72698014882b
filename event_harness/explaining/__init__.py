"""Explains why a result did not arrive: probes of each component, function logs, causes, the report."""
