"""A deployment from apply to destroy: session, record, sharing between workers, up and down, sweep."""
