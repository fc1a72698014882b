"""The deployed system as the harness sees it: its resource map and the correlation ids."""
