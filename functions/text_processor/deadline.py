"""`Deadline`: stops the work before Lambda ends the function."""

from collections.abc import Callable

from failures import OutOfTimeError


class Deadline:
    """Tells when too little time is left to continue. The reserved time is for aborting an upload.

    Create it when the function starts: it reserves a fifth of the remaining time, at most 10 s.

    Args:
        remaining_ms: Returns the milliseconds that the function may still run.
    """

    def __init__(self, remaining_ms: Callable[[], int]) -> None:
        self._remaining_ms = remaining_ms
        self._at_start = remaining_ms()
        self._reserve = min(10_000, self._at_start // 5)

    def check(self) -> None:
        """Return while enough time is left.

        Raises:
            OutOfTimeError: Only the reserved time is left.
        """
        left = self._remaining_ms()
        if left < self._reserve:
            raise OutOfTimeError(
                f"the function has only {left} ms of {self._at_start} left: raise its timeout"
            )
