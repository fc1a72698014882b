"""Converts a stream of UTF-8 text to upper case; the memory needed does not grow with the text."""

import codecs
from collections.abc import Iterable, Iterator

from failures import NotUtf8Error

# The maximum growth of one byte of UTF-8: U+0390 has 2 bytes, its upper case has 3 characters of 2 bytes.
MAX_GROWTH = 3


def uppercase(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a UTF-8 text in upper case, with the same result as `str.upper()` on the whole text.

    The upper case of a character doesn't depend on its neighbours (unlike the lower case of a sigma), so
    the chunks may have any size. A character that is split between two chunks is joined.

    Args:
        chunks: The bytes of the text, in chunks of any size.

    Raises:
        NotUtf8Error: A byte is not UTF-8, or the text ends within a character; `offset` counts from the
            start of the text. Discard everything that was yielded before.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    read = 0
    for chunk in chunks:
        within_character = decoder.getstate()[0]
        if chunk.isascii() and not within_character:
            yield chunk.upper()  # the same, and twice as fast
        else:
            yield _decode(decoder, chunk, read).upper().encode()
        read += len(chunk)
    _decode(decoder, b"", read, final=True)


def _decode(decoder: codecs.IncrementalDecoder, chunk: bytes, read: int, final: bool = False) -> str:
    pending, _ = decoder.getstate()
    try:
        return decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        # Not chained: the decoder's error contains the chunk, and content must not reach a log or a trace.
        raise NotUtf8Error(read - len(pending) + error.start, error.reason) from None
