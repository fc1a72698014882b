"""Why something did not arrive: probes of each component, causes, logs, the text of the report."""
