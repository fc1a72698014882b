import sys
from collections.abc import Iterator

import pytest
from failures import NotUtf8Error
from hypothesis import given
from hypothesis import strategies as st
from upload import in_parts
from uppercase import MAX_GROWTH, uppercase

GROWING = "ß ŉ ﬁ ΐ ǰ և ﬃ ᾷ straße ŉandu ﬁle"
TEXTS = st.text() | st.text(st.sampled_from(GROWING + "aé€🙂ςσΣ\ufeff\x00"))


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@given(TEXTS, st.integers(1, 9))
def test_any_text_cut_anywhere_becomes_its_upper_case(text: str, size: int) -> None:
    assert b"".join(uppercase(cut(text.encode(), size))) == text.upper().encode()


def test_characters_that_grow_keep_their_whole_upper_case() -> None:
    assert b"".join(uppercase(cut(GROWING.encode(), 1))).decode() == GROWING.upper()
    assert len(GROWING.upper()) > len(GROWING)


def test_a_byte_order_mark_is_a_character_like_any_other() -> None:
    assert b"".join(uppercase([b"\xef\xbb", b"\xbfa"])) == b"\xef\xbb\xbfA"


def test_no_text_becomes_no_text() -> None:
    assert b"".join(uppercase([])) == b""


@given(
    st.binary() | st.builds(bytes.__add__, TEXTS.map(str.encode), st.binary(max_size=4)), st.integers(1, 9)
)
def test_any_bytes_are_text_or_fail_at_the_offset_that_decode_reports(data: bytes, size: int) -> None:
    try:
        expected, offset = data.decode().upper().encode(), None
    except UnicodeDecodeError as error:
        expected, offset = b"", error.start
    if offset is None:
        assert b"".join(uppercase(cut(data, size))) == expected
        return
    with pytest.raises(NotUtf8Error, match=f"byte offset {offset}:") as raised:
        b"".join(uppercase(cut(data, size)))
    assert raised.value.offset == offset


@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_a_text_that_ends_within_a_character_fails_where_that_character_starts(size: int) -> None:
    with pytest.raises(NotUtf8Error) as raised:
        b"".join(uppercase(cut("ab€".encode()[:-1], size)))
    assert raised.value.offset == 2


def test_the_error_holds_no_content() -> None:
    with pytest.raises(NotUtf8Error) as raised:
        b"".join(uppercase([b"secret \xff"]))
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    assert "secret" not in str(raised.value)


def test_no_character_grows_by_more_than_the_factor_that_sizes_the_parts() -> None:
    characters = (chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF)
    growth = max(len(c.upper().encode()) / len(c.encode()) for c in characters)
    assert growth == MAX_GROWTH


@given(st.lists(st.binary()), st.integers(1, 20))
def test_parts_have_at_least_the_size_asked_for_but_the_last(chunks: list[bytes], size: int) -> None:
    parts = list(in_parts(chunks, size))
    assert b"".join(parts) == b"".join(chunks)
    longest = size + max(map(len, chunks), default=0)
    assert all(size <= len(part) < longest for part in parts[:-1])
    assert all(0 < len(part) < longest for part in parts[-1:])
