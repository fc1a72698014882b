"""How long to wait between two looks at the results table.

A look that comes often finds a result soon, and costs a read. Decision 37 has the figures.
"""

from collections import deque

SHORTEST, LONGEST = 0.02, 1.0
"""Seconds between two looks: the least and the most."""
UNKNOWN = ((0.5, 0.035), (1.0, 0.095), (5.0, 0.185), (10.0, 0.5), (float("inf"), 1.0))
"""Seconds of silence, and seconds to the next look until then, where nothing is known of the system."""

KNOWN, ENOUGH = 20, 2
"""So many arrivals tell when the next one may come, older ones don't count; and so many must be known."""
LOOKS = 31
"""Looks in the time in which the next arrival may come. In a short time, they are fewer: see `Rhythm`."""
FINE = 0.033
"""Seconds below which more looks in that time find little sooner."""
BEFORE = 0.5
"""Seconds to the first look where results take long."""

ITEMS_PER_SECOND, LONGEST_REST = 4000, 1.0
"""Each look reads the arrivals of the last seconds again. So a busy session reads at most this many items a
second on average: about 1,000 of the 3,000 read units that a partition of DynamoDB has. The rest is at most a
second."""


def rest(items: int) -> float:
    """Seconds to the next look after a look that has read this many items."""
    return min(items / ITEMS_PER_SECOND, LONGEST_REST)


class Rhythm:
    """Learns from the arrivals of a session when the next one may come, and looks often only then.

    A silence is the time since the last send or arrival. Where two arrivals have come after 10 s and 30 s,
    few looks are needed before 5 s. An arrival that comes before is late by at most 0.6 of the time that it
    took, or `BEFORE`, and by a second.
    """

    def __init__(self) -> None:
        self._silences: deque[float] = deque(maxlen=KNOWN)

    def came(self, silence: float) -> None:
        """Something has arrived after so many seconds of silence."""
        self._silences.append(silence)

    def interval(self, silence: float) -> float:
        """Seconds from the beginning of one look to that of the next.

        Args:
            silence: Seconds since the last send or arrival.
        """
        first, last = self._expected()
        if silence >= last:
            return next(pause for until, pause in UNKNOWN if silence < until)
        if silence < first:
            pause = min(max(0.05, min(first / 4, BEFORE), 0.6 * silence), first - silence)
        else:
            # A look costs all waits that have no result yet: fewer of them, the later it is.
            share = (silence - first) / (last - first)
            even = (last - first) / LOOKS * (1.25 - share / 2)
            pause = min(max(even, min((last - first) / 12, FINE)), max(FINE, silence / 5))
        return min(max(pause, SHORTEST), LONGEST)

    def first_look(self) -> float:
        """Seconds from a send to the first look."""
        return self.interval(0.0) if len(self._silences) >= ENOUGH else 0.0

    def _expected(self) -> tuple[float, float]:
        """The silences between which the next arrival may come; twice 0 if nothing is known.

        The fewer are known, the more likely the next one is beyond them: on average by as much as they are
        apart.
        """
        known = list(self._silences)
        if len(known) < ENOUGH:
            return 0.0, 0.0
        shortest, longest = min(known), max(known)
        apart = (longest - shortest) / (len(known) - 1)
        first = min(shortest * (1 - 1 / len(known)), shortest - apart)
        return max(first, shortest / 4), max(1.1 * longest, longest + apart)
