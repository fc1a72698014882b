"""A text in upper case as a body that is read from its source while it is sent."""

import io
from collections.abc import Iterator

from failures import LengthChangedError
from source import READ_SIZE, Source

WITHIN_CHARACTER = 3  # bytes that may wait for the rest of their character


class Stopped(BaseException):
    """Carries an error of the source through botocore, which would take it for a failed connection.

    Botocore catches each `Exception` while it sends, and sends again. This is none: urllib3 closes the
    connection, and S3 writes nothing, as the body is not complete.

    Attributes:
        cause: The error.
    """

    def __init__(self, cause: Exception) -> None:
        super().__init__(repr(cause))
        self.cause = cause


class Streamed:
    """A body for botocore, as long as its source. Most texts keep their length in bytes in upper case.

    It gives out the last bytes only after the whole text was found to be right, so an object is complete only
    then. Botocore returns to the beginning when it sends again.

    Args:
        source: The source, at its beginning.
        size: The bytes of it; there is at least one.
    """

    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self._size = size
        self._position = 0
        self._chunks: Iterator[bytes] | None = self._checked()

    def __len__(self) -> int:
        """The bytes of the whole body: S3 wants to know them before they come."""
        return self._size

    def tell(self) -> int:
        """The bytes that were read."""
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        """Return to the beginning, the only place to go to. The next `read` restarts the source."""
        if offset or whence:
            raise io.UnsupportedOperation("only to the beginning")
        if self._position:
            self._position, self._chunks = 0, None
        return 0

    def read(self, _size: int = -1) -> bytes:
        """Read one chunk, however many bytes are wanted; nothing at the end.

        Raises:
            Stopped: Reading failed, or the text changes its length.
        """
        try:
            if self._chunks is None:
                self._source.restart()
                self._chunks = self._checked()
            chunk = next(self._chunks, b"")
        except Exception as error:
            raise Stopped(error) from None
        self._position += len(chunk)
        return chunk

    def _checked(self) -> Iterator[bytes]:
        """Yield each chunk after the next one, or the end, was found to be right."""
        written, last = 0, b""
        for chunk in self._source.upper(READ_SIZE):
            written += len(chunk)
            if not 0 <= self._source.read - written <= WITHIN_CHARACTER:
                raise LengthChangedError
            if last:
                yield last
            last = chunk
        if written != self._size:
            raise LengthChangedError
        yield last
