"""How long to wait between two looks at the results table."""

SHORTEST, LONGEST = 0.02, 0.25
"""Seconds between two looks: the least and the most."""


def look_interval(silence: float) -> float:
    """Seconds from one look to the next, after `silence` seconds without a send or an arrival.

    In the first ten seconds it is a tenth of the silence, 0.1 s at most; a result waits half of that on
    average. Later, milliseconds don't matter: it is a hundredth of the silence, 0.25 s at most.
    """
    return min(max(SHORTEST, min(0.1 * silence, max(0.1, 0.01 * silence))), LONGEST)
