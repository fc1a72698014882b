"""Spans of time for people: `31 ms`, `1.24 s`, `2 min 5 s`."""


def span(seconds: float) -> str:
    """A span with three digits at most, in the unit that fits."""
    if seconds < 0.0005:
        return "0 ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
