"""How long to wait between two looks at the results table."""

SHORTEST, LONGEST = 0.02, 0.25
"""Seconds between two looks: the least and the most."""


ITEMS_PER_SECOND, LONGEST_REST = 4000, 1.0
"""Each look reads the arrivals of the last seconds again. So a busy session reads at most this many items a
second on average: about 1,000 of the 3,000 read units that a partition of DynamoDB has. The rest is at most a
second."""


def rest(items: int) -> float:
    """Seconds to the next look after a look that has read this many items."""
    return min(items / ITEMS_PER_SECOND, LONGEST_REST)


def look_interval(silence: float, items: int = 0) -> float:
    """Seconds from one look to the next, after `silence` seconds without a send or an arrival.

    In the first ten seconds it is a tenth of the silence, 0.1 s at most; a result waits half of that on
    average. Later, milliseconds don't matter: it is a hundredth of the silence, 0.25 s at most. It is longer
    after a look that has read many items.

    Args:
        silence: Seconds since the last send or arrival.
        items: The number of items that the last look has read.
    """
    pause = min(max(SHORTEST, min(0.1 * silence, max(0.1, 0.01 * silence))), LONGEST)
    return max(pause, rest(items))
