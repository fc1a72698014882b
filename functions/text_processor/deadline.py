"""The end of the function's time, seen before it comes."""

from collections.abc import Callable

from failures import OutOfTimeError


class Deadline:
    """Tells when too little time is left to go on: an upload must still be aborted in it.

    Make it when the function starts: it keeps back a fifth of the time left then, at most 10 s.

    Args:
        remaining_ms: Milliseconds that the function may still run.
    """

    def __init__(self, remaining_ms: Callable[[], int]) -> None:
        self._remaining_ms = remaining_ms
        self._at_start = remaining_ms()
        self._reserve = min(10_000, self._at_start // 5)

    def check(self) -> None:
        """Do nothing while there is time.

        Raises:
            OutOfTimeError: There is none left but for cleaning up.
        """
        left = self._remaining_ms()
        if left < self._reserve:
            raise OutOfTimeError(
                f"only {left} ms of {self._at_start} are left to the function: raise its timeout"
            )
