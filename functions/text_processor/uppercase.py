"""UTF-8 text to upper case in a stream: the memory needed doesn't grow with the text."""

import codecs
from collections.abc import Iterable, Iterator

from failures import NotUtf8Error

# What one byte of UTF-8 grows to at most: U+0390 has 2 bytes, its upper case three characters of 2.
MAX_GROWTH = 3


def uppercase(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the upper case of a UTF-8 text, exactly as `str.upper()` on the whole of it.

    The upper case of a character doesn't depend on its neighbours (unlike the lower case of a sigma), so
    the text may be cut anywhere; a character whose bytes are spread over two chunks is put together.

    Args:
        chunks: The text's bytes, cut anywhere.

    Raises:
        NotUtf8Error: With the offset, in the whole text, of the first byte that isn't UTF-8; a text that
            ends within a character too. What was yielded before is then part of no text.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    read = 0
    for chunk in chunks:
        yield _decode(decoder, chunk, read).upper().encode()
        read += len(chunk)
    _decode(decoder, b"", read, final=True)


def _decode(decoder: codecs.IncrementalDecoder, chunk: bytes, read: int, final: bool = False) -> str:
    pending, _ = decoder.getstate()
    try:
        return decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        # Not chained: the decoder's error holds the chunk, and no content may reach a log or a trace.
        raise NotUtf8Error(read - len(pending) + error.start, error.reason) from None
