"""The tests of docs/tutorial.md do what the page says."""

import re
from pathlib import Path

import pytest

from event_harness.errors import InputFailedError

PAGE = (Path(__file__).parents[3] / "docs" / "tutorial.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tests():
    """The page's tests by name."""
    found = {}
    for block in re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        exec(compile(block, "docs/tutorial.md", "exec"), found)  # noqa: S102
    return found


@pytest.fixture
def producer(breakable):
    """That of a system to which no other process sends: the page shows what such a system says."""
    return breakable.producer


@pytest.fixture
def listener(breakable):
    return breakable.listener


def test_first_test_of_the_page_passes(tests, producer, listener):
    tests["test_letters_with_accents"](producer, listener)


def test_second_test_of_the_page_fails_with_the_lines_that_the_page_shows(tests, producer, listener):
    with pytest.raises(InputFailedError) as caught:
        tests["test_text_that_is_not_utf8"](producer, listener)
    said = " ".join(f"InputFailedError: {caught.value}".split())
    # An input of an earlier test may still be under way.
    said = re.sub(r"ran \d+ times? since the send, for other inputs only", "not invoked since the send", said)
    blocks = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for line in "".join(blocks).splitlines():
        assert " ".join(line.split()) in said
    assert "NotUtf8Error: not UTF-8 at byte offset 3" in said


def test_last_test_of_the_page_passes(tests, producer, listener):
    tests["test_text_that_is_not_utf8_is_refused"](producer, listener)
