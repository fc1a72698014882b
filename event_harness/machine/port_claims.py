"""Ports that a session has chosen, and on which one of its processes will listen later.

Until that process listens, the port is free for the system. A lock in the cache directory tells the other
sessions of this user that it is chosen. The lock ends with its session, however that ends.
"""

from contextlib import ExitStack

from event_harness.machine.cache import cache_directory
from event_harness.machine.ports import is_free

_FOLDER = "claimed-ports"


class PortClaims:
    """The ports that one session has claimed."""

    def __init__(self) -> None:
        self._locks = ExitStack()

    def claim(self, port: int) -> bool:
        """Claim a port. Returns whether nobody else listens on it or has claimed it.

        Raises:
            ToolchainError: the cache directory can't be used.
        """
        from filelock import FileLock, Timeout

        folder = cache_directory() / _FOLDER
        folder.mkdir(exist_ok=True)
        lock = FileLock(folder / str(port))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        if not is_free(port):
            lock.release()
            return False
        self._locks.callback(lock.release)
        return True

    def release(self) -> None:
        """Release all of them."""
        self._locks.close()
