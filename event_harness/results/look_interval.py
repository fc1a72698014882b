"""How long to wait between two looks at the results table.

A look that comes often finds a result soon, and costs a read. Decision 37 has the figures.
"""

from collections import deque

SHORTEST, LONGEST = 0.02, 1.0
"""Seconds between two looks: the least and the most."""
UNKNOWN = ((0.5, 0.035), (1.0, 0.095), (5.0, 0.185), (10.0, 0.5), (float("inf"), 1.0))
"""Seconds of silence, and seconds to the next look until then, where nothing is known of the system."""

KNOWN = 20
"""So many arrivals tell when the next one may come; older ones don't count."""
ENOUGH = 2
EARLIER, LATER = 0.9, 1.25
"""The next arrival may come so much earlier and later than all before, as a factor."""
LOOKS = 27
"""Looks in the time in which the next arrival may come. In a short time, they are fewer: see `Rhythm`."""

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
    few looks are needed before 9 s. An arrival that comes before is late by at most half of the time that it
    took, and by a second.
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
        known = list(self._silences)
        if len(known) < ENOUGH or silence > LATER * max(known):
            return next(pause for until, pause in UNKNOWN if silence < until)
        first, last = EARLIER * min(known), LATER * max(known)
        if silence < first:
            pause = min(max(0.05, silence / 2), first - silence)
        else:
            often = max(min((last - first) / 12, 0.035), (last - first) / LOOKS)
            pause = min(often, max(0.035, silence / 5))
        return min(max(pause, SHORTEST), LONGEST)
