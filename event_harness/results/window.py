"""From which arrival on a look reads the table."""

OVERLAP = 10.0
"""Seconds that each look reaches back before the newest arrival. The clocks of the listener's workers differ,
and an item may become visible after another one with a later stamp."""


class Window:
    """Moves on with what looks have read, and with the time.

    What a look did not see became visible after it began. So its stamp is from then, give or take the
    overlap. In silence, looks soon read nothing again.

    Args:
        overlap: Seconds, see `OVERLAP`.
    """

    def __init__(self, overlap: float) -> None:
        self._overlap = overlap
        self._newest = 0  # epoch ms
        self._newest_at = self._began = 0.0

    def read(self, began: float, newest: int, now: float) -> None:
        """A look has read the table.

        Args:
            began: When it began, monotonic seconds.
            newest: The newest arrival so far, epoch ms.
            now: Monotonic seconds.
        """
        if newest > self._newest:
            self._newest, self._newest_at = newest, now
        self._began = max(self._began, began)

    def since(self, now: float) -> int:
        """The arrival (epoch ms) from which the next look reads. No stamp in the future moves it past now.

        Args:
            now: Epoch seconds.
        """
        passed = max(0.0, self._began - self._newest_at)
        latest = min(self._newest + int(passed * 1000), int(now * 1000))
        return max(0, latest - int(self._overlap * 1000))
